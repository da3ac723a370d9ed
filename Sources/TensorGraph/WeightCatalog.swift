/// What a checkpoint says of one of its tensors.
public struct WeightEntry: Sendable, Hashable {
    public let shape: Shape
    public let elementType: ElementType

    public init(shape: Shape, elementType: ElementType) {
        self.shape = shape
        self.elementType = elementType
    }
}

/// The names, shapes and types of the weights that a graph may use; not their values.
public protocol WeightCatalog: Sendable {
    /// Every name, in no particular order.
    var names: [String] { get }

    /// What is known of the weight of that name, or nil where there is none.
    func entry(named name: String) -> WeightEntry?

    /// Where the weights come from, for messages: a file's path or a folder's.
    var origin: String { get }

    /// What the files call the weight of a name, or would call it where it is missing, for messages.
    func nameInFile(of name: String) -> String
}

extension WeightCatalog {
    /// The same.
    public func nameInFile(of name: String) -> String { name }
}
