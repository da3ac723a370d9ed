import TensorGraph

/// x Wᵀ + b: `[…, inputs] → […, outputs]`, with `weight` `[outputs, inputs]` and, unless left out, `bias`
/// `[outputs]` of the scope.
func linear(_ x: Tensor, to outputs: Int, bias: Bool = true, _ weights: WeightScope) -> Tensor {
    let product = matrixMultiply(
        weights.quantized(x), weights.tensor("weight", [outputs, x.size(-1)]), transposesRight: true)
    return bias ? product + weights.tensor("bias", [outputs]) : product
}

/// A convolution with a bias, unless it is left out: `[N, C, H, W] → [N, channels, H', W']`, by default of 3×3 cells and
/// keeping the size.
func convolution(
    _ x: Tensor, to channels: Int, size: Int = 3, stride: Int = 1, padding: Convolution.Padding? = nil,
    bias: Bool = true, _ weights: WeightScope
) -> Tensor {
    let kernel = weights.tensor("weight", [channels, x.size(1), size, size])
    let convolution = Convolution(stride: stride, padding: padding ?? Convolution.Padding(size / 2))
    let product = TensorGraph.convolution(weights.quantized(x), kernel: kernel, convolution)
    return bias ? product + reshape(weights.tensor("bias", [channels]), [1, channels, 1, 1]) : product
}
