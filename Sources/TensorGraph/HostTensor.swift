/// A tensor's values in this process's memory: what goes into a compiled graph and comes out of it.
public struct HostTensor: Sendable, Hashable {
    public enum Elements: Sendable, Hashable {
        case float32([Float])
        case int32([Int32])
    }

    public let shape: Shape
    public let elements: Elements

    /// Makes a `float32` tensor of values in row-major order; there must be as many as the shape holds.
    public init(_ values: [Float], shape: Shape) {
        precondition(values.count == shape.count, "\(values.count) values for a tensor of shape \(shape)")
        self.shape = shape
        elements = .float32(values)
    }

    /// Makes an `int32` tensor of values in row-major order; there must be as many as the shape holds.
    public init(_ values: [Int32], shape: Shape) {
        precondition(values.count == shape.count, "\(values.count) values for a tensor of shape \(shape)")
        self.shape = shape
        elements = .int32(values)
    }

    public var elementType: ElementType {
        switch elements {
        case .float32: .float32
        case .int32: .int32
        }
    }

    /// The values as floating-point numbers, in row-major order.
    public var floats: [Float] {
        switch elements {
        case .float32(let values): values
        case .int32(let values): values.map(Float.init)
        }
    }
}
