/// A function of two elements, with NumPy's broadcasting.
public enum Binary: String, Sendable, Hashable, CaseIterable {
    case add, subtract, multiply, divide, maximum, minimum

    func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try requireFloats(inputs, count: 2)
        guard let shape = inputs[0].shape.broadcast(with: inputs[1].shape) else {
            throw ShapeError("the shapes do not broadcast")
        }
        return TensorType(shape)
    }
}

extension Tensor {
    public static func + (left: Tensor, right: Tensor) -> Tensor { apply(.add, left, right) }
    public static func - (left: Tensor, right: Tensor) -> Tensor { apply(.subtract, left, right) }
    public static func * (left: Tensor, right: Tensor) -> Tensor { apply(.multiply, left, right) }
    public static func / (left: Tensor, right: Tensor) -> Tensor { apply(.divide, left, right) }

    public static func + (left: Tensor, right: Float) -> Tensor { left + left.builder.constant(right) }
    public static func - (left: Tensor, right: Float) -> Tensor { left - left.builder.constant(right) }
    public static func * (left: Tensor, right: Float) -> Tensor { left * left.builder.constant(right) }
    public static func / (left: Tensor, right: Float) -> Tensor { left / left.builder.constant(right) }
}

public func maximum(_ left: Tensor, _ right: Tensor) -> Tensor { apply(.maximum, left, right) }
public func minimum(_ left: Tensor, _ right: Tensor) -> Tensor { apply(.minimum, left, right) }

private func apply(_ binary: Binary, _ left: Tensor, _ right: Tensor) -> Tensor {
    left.builder.append(.binary(binary), [left, right])
}
