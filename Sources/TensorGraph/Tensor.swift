/// A value in a graph under construction: what a node will give when the graph runs.
public struct Tensor {
    public let type: TensorType
    let node: Int
    let builder: GraphBuilder

    public var shape: Shape { type.shape }

    /// The size of an axis; a negative axis counts from the innermost.
    public func size(_ axis: Int) -> Int { shape[axis] }
}

/// The shape and the element type of a value in a graph.
public struct TensorType: Sendable, Hashable, CustomStringConvertible {
    public let shape: Shape
    public let elementType: ElementType

    public init(_ shape: Shape, _ elementType: ElementType = .float32) {
        self.shape = shape
        self.elementType = elementType
    }

    public var description: String { "\(elementType)\(shape)" }
}
