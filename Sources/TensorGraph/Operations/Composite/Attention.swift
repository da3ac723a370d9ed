/// softmax(Q Kᵀ · scale + mask) V: scaled dot-product attention (Vaswani et al. 2017, equation 1).
///
/// Queries `[N, heads, L, D]`, keys `[N, heads, S, D]`, values `[N, heads, S, E]` and, where there is a fourth
/// input, a mask that broadcasts to `[N, heads, L, S]` and is added to the scores. The result is
/// `[N, heads, L, E]`.
public struct ScaledDotProductAttention: CompositeOperation {
    public let scale: Float
    public init(scale: Float) { self.scale = scale }
    public var name: String { "attention" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try requireFloats(inputs, count: inputs.count == 4 ? 4 : 3)
        let (queries, keys, values) = (inputs[0].shape, inputs[1].shape, inputs[2].shape)
        guard queries.rank == 4, keys.rank == 4, values.rank == 4,
            queries.dimensions.prefix(2) == keys.dimensions.prefix(2),
            keys.dimensions.prefix(3) == values.dimensions.prefix(3), queries[3] == keys[3]
        else { throw ShapeError("queries, keys and values do not fit each other") }
        if inputs.count == 4 {
            let scores = Shape(queries.dimensions.prefix(3) + [keys[2]])
            guard scores.broadcast(with: inputs[3].shape) == scores else {
                throw ShapeError("the mask does not broadcast to \(scores)")
            }
        }
        return TensorType(Shape(queries.dimensions.prefix(3) + [values[3]]))
    }

    public func decompose(_ inputs: [Tensor]) -> Tensor {
        var scores = matrixMultiply(inputs[0] * scale, inputs[1], transposesRight: true)
        if inputs.count == 4 { scores = scores + inputs[3] }
        return matrixMultiply(softmax(scores), inputs[2])
    }
}

/// Scaled dot-product attention over `[N, heads, L, D]`, by default scaled by 1/√D.
public func scaledDotProductAttention(
    queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor? = nil, scale: Float? = nil
) -> Tensor {
    let scale = scale ?? 1 / Float(max(queries.size(-1), 1)).squareRoot()
    return queries.builder.append(
        ScaledDotProductAttention(scale: scale), [queries, keys, values] + (mask.map { [$0] } ?? []))
}
