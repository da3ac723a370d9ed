/// What a node of a graph computes.
public enum Operation: Sendable {
    case primitive(Primitive)
    case composite(any CompositeOperation)

    public var name: String {
        switch self {
        case .primitive(let primitive): primitive.name
        case .composite(let composite): composite.name
        }
    }

    func isComposite(where condition: (any CompositeOperation) -> Bool) -> Bool {
        guard case .composite(let composite) = self else { return false }
        return condition(composite)
    }
}

/// An operation that is defined by other operations, and that an engine may have a faster form of.
///
/// The decomposition is its meaning: an engine that lowers the composite itself is held to it by the
/// conformance tests.
public protocol CompositeOperation: Sendable, Hashable {
    var name: String { get }

    /// The type of the result, without decomposing.
    func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType

    /// The same value by other operations.
    func decompose(_ inputs: [Tensor]) -> Tensor
}
