import TensorGraph

/// A tensor that is to be written: weights one behind the other, as other programs store several in one.
public struct PlannedTensor: Sendable {
    public let name: String
    public let shape: Shape
    /// The weights that it consists of, along the first axis; none for zeros.
    public let sources: [String]
    /// Whether the one matrix that it is stands the other way round.
    public let isTransposed: Bool

    public init(_ name: String, shape: Shape, sources: [String], isTransposed: Bool = false) {
        self.name = name
        self.shape = shape
        self.sources = sources
        self.isTransposed = isTransposed
    }

    /// Weights, and what is written of them.
    public typealias Group = (weights: any WeightStorage, tensors: [PlannedTensor])

    /// What the first weight is stored as; half precision for zeros.
    func elementType(in weights: any WeightStorage) -> ElementType {
        sources.first.flatMap { weights.entry(named: $0)?.elementType } ?? .float16
    }

    /// The values of one of the weights, turned where the tensor is.
    func floats(of source: String, _ entry: WeightEntry, in mapped: MappedWeights) -> [Float] {
        let own = mapped.floats(of: source, entry) ?? []
        guard isTransposed else { return own }
        let (rows, columns) = (entry.shape[0], entry.shape[1])
        var values = own
        for row in 0..<rows {
            for column in 0..<columns { values[column * rows + row] = own[row * columns + column] }
        }
        return values
    }
}
