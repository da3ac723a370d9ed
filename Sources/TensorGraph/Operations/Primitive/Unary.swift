/// A function applied to each element.
public enum Unary: String, Sendable, Hashable, CaseIterable {
    case exponential, squareRoot, sine, cosine, sigmoid, hyperbolicTangent, errorFunction, round

    func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try requireFloats(inputs, count: 1)
        return inputs[0]
    }
}

public func exponential(_ x: Tensor) -> Tensor { x.builder.append(.unary(.exponential), [x]) }
public func squareRoot(_ x: Tensor) -> Tensor { x.builder.append(.unary(.squareRoot), [x]) }
public func sine(_ x: Tensor) -> Tensor { x.builder.append(.unary(.sine), [x]) }
public func cosine(_ x: Tensor) -> Tensor { x.builder.append(.unary(.cosine), [x]) }
/// 1 / (1 + e⁻ˣ) of each element.
public func sigmoid(_ x: Tensor) -> Tensor { x.builder.append(.unary(.sigmoid), [x]) }
public func hyperbolicTangent(_ x: Tensor) -> Tensor { x.builder.append(.unary(.hyperbolicTangent), [x]) }
/// The Gauss error function of each element.
public func errorFunction(_ x: Tensor) -> Tensor { x.builder.append(.unary(.errorFunction), [x]) }
/// The nearest whole number to each element; of two, the even one.
public func round(_ x: Tensor) -> Tensor { x.builder.append(.unary(.round), [x]) }
