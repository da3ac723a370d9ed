/// x · sigmoid(x): SiLU, also called Swish (Elfwing et al. 2017).
public struct SiLU: CompositeOperation {
    public init() {}
    public var name: String { "SiLU" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try requireFloats(inputs, count: 1)
        return inputs[0]
    }

    public func decompose(_ inputs: [Tensor]) -> Tensor { inputs[0] * sigmoid(inputs[0]) }
}

/// x · Φ(x) with the exact Gaussian distribution function: GELU (Hendrycks and Gimpel 2016).
public struct GELU: CompositeOperation {
    public init() {}
    public var name: String { "GELU" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try requireFloats(inputs, count: 1)
        return inputs[0]
    }

    public func decompose(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        return x * 0.5 * (errorFunction(x * Float(0.5).squareRoot()) + 1)
    }
}

/// x · sigmoid(1.702 x): the approximation of GELU that OpenAI's CLIP was trained with.
public struct QuickGELU: CompositeOperation {
    public init() {}
    public var name: String { "QuickGELU" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try requireFloats(inputs, count: 1)
        return inputs[0]
    }

    public func decompose(_ inputs: [Tensor]) -> Tensor { inputs[0] * sigmoid(inputs[0] * 1.702) }
}

/// The larger of x and 0: a rectified linear unit.
public func relu(_ x: Tensor) -> Tensor { maximum(x, x.builder.constant(0)) }
public func silu(_ x: Tensor) -> Tensor { x.builder.append(SiLU(), [x]) }
public func gelu(_ x: Tensor) -> Tensor { x.builder.append(GELU(), [x]) }
public func quickGELU(_ x: Tensor) -> Tensor { x.builder.append(QuickGELU(), [x]) }
