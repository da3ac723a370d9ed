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
    convolution(
        ofQuantized: weights.quantized(x), to: channels, size: size,
        Convolution(stride: stride, padding: padding ?? Convolution.Padding(size / 2)), bias: bias, weights)
}

/// A convolution of a picture that is enlarged by two first, of 3×3 cells: `[N, C, H, W] → [N, channels, height, width]`.
///
/// Where it is of integers, what is rounded is the picture before it is enlarged: the same numbers, a quarter as many.
///
/// - Parameters:
///   - height: What the enlarged picture is cut to, at most 2 H; nil for all of it.
///   - width: Likewise, at most 2 W.
func upsamplingConvolution(
    _ x: Tensor, to channels: Int, height: Int? = nil, width: Int? = nil, _ weights: WeightScope
) -> Tensor {
    var enlarged = upsampleNearest(weights.quantized(x), factor: 2)
    for (axis, size) in [(2, height), (3, width)] {
        guard let size, size != enlarged.size(axis) else { continue }
        enlarged = slice(enlarged, axis: axis, 0..<size)
    }
    return convolution(
        ofQuantized: enlarged, to: channels, size: 3, Convolution(padding: Convolution.Padding(1)), weights)
}

private func convolution(
    ofQuantized x: Tensor, to channels: Int, size: Int, _ convolution: Convolution, bias: Bool = true,
    _ weights: WeightScope
) -> Tensor {
    let kernel = weights.tensor("weight", [channels, x.size(1), size, size])
    let product = TensorGraph.convolution(x, kernel: kernel, convolution)
    return bias ? product + reshape(weights.tensor("bias", [channels]), [1, channels, 1, 1]) : product
}
