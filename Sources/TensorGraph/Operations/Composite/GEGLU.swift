/// a · GELU(b) for the halves a, b of the innermost axis (Shazeer 2020): `[…, 2 D] → […, D]`.
public struct GEGLU: CompositeOperation {
    public init() {}
    public var name: String { "GEGLU" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try requireFloats(inputs, count: 1)
        var shape = inputs[0].shape
        guard shape.rank >= 1, shape[-1] % 2 == 0 else { throw ShapeError("the innermost axis must be even") }
        shape[-1] /= 2
        return TensorType(shape)
    }

    public func decompose(_ inputs: [Tensor]) -> Tensor {
        let half = inputs[0].size(-1) / 2
        return slice(inputs[0], axis: -1, 0..<half) * gelu(slice(inputs[0], axis: -1, half..<2 * half))
    }
}

public func geglu(_ x: Tensor) -> Tensor { x.builder.append(GEGLU(), [x]) }
