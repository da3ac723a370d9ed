/// Layer normalisation over the innermost axis (Ba et al. 2016), with a scale and a shift `[D]`.
public struct LayerNorm: CompositeOperation {
    public let epsilon: Float
    public init(epsilon: Float) { self.epsilon = epsilon }
    public var name: String { "layer norm" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try requireFloats(inputs, count: 3)
        let shape = inputs[0].shape
        guard shape.rank >= 1, inputs[1].shape == [shape[-1]], inputs[2].shape == [shape[-1]] else {
            throw ShapeError("scale and shift must have the size of the innermost axis")
        }
        return inputs[0]
    }

    public func decompose(_ inputs: [Tensor]) -> Tensor {
        normalized(inputs[0], axes: [inputs[0].shape.rank - 1], epsilon: epsilon) * inputs[1] + inputs[2]
    }
}

/// Layer normalisation of `[…, D]`, with the scale and the shift at `weight` and `bias` of the scope.
public func layerNorm(_ x: Tensor, _ weights: WeightScope, epsilon: Float = 1e-5) -> Tensor {
    let size: Shape = [x.shape[-1]]
    return layerNorm(
        x, scale: weights.tensor("weight", size), shift: weights.tensor("bias", size), epsilon: epsilon)
}

/// Layer normalisation of `[…, D]` with a scale and a shift `[D]`.
public func layerNorm(_ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float) -> Tensor {
    x.builder.append(LayerNorm(epsilon: epsilon), [x, scale, shift])
}

/// (x − mean) / √(variance + ε) over some axes, with the biased variance.
func normalized(_ x: Tensor, axes: [Int], epsilon: Float) -> Tensor {
    let centered = x - mean(x, axes: axes)
    return centered / squareRoot(mean(centered * centered, axes: axes) + epsilon)
}
