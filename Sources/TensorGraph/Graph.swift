/// A network as a value: its operations in an order in which each comes after what it reads.
///
/// A graph holds no weights, only their names; an engine compiles it together with a checkpoint.
public struct Graph: Sendable {
    /// One operation, with the indices of the nodes that it reads.
    public struct Node: Sendable {
        public let operation: Operation
        public let inputs: [Int]
        public let type: TensorType
        /// The path of the layer that the node belongs to, as the checkpoint names it.
        public let layer: String
    }

    public let name: String
    public let nodes: [Node]
    /// What the graph gives: a name for callers, and the index of the node.
    public let outputs: [(name: String, node: Int)]

    /// What the graph asks for: the name and the type of each input, in the order of declaration.
    public var inputs: [(name: String, type: TensorType)] {
        nodes.compactMap { node in
            guard case .primitive(.input(let name)) = node.operation else { return nil }
            return (name, node.type)
        }
    }

    /// The weights that the graph reads, each once.
    public var weights: [(name: String, type: TensorType)] {
        nodes.compactMap { node in
            guard case .primitive(.weight(let name, _)) = node.operation else { return nil }
            return (name, node.type)
        }
    }

    /// The graph with each composite operation that `isExpanded` accepts replaced by its decomposition, and
    /// those inside that likewise.
    ///
    /// - Throws: ``GraphError`` where a decomposition does not give the type that its composite promised.
    public func decomposed(where isExpanded: (any CompositeOperation) -> Bool = { _ in true }) throws -> Graph
    {
        try rewritten(expanding: isExpanded) { _, _ in nil }
    }

    /// The graph with operations replaced.
    ///
    /// - Parameters:
    ///   - more: Outputs beside the graph's own, asked for when all operations are there.
    ///   - replace: What an operation becomes with its inputs; nil where it stays.
    /// - Throws: ``GraphError`` where a replacement is of another type.
    func rewritten(
        expanding isExpanded: (any CompositeOperation) -> Bool = { _ in false },
        adding more: () -> [(String, Tensor)] = { [] },
        _ replace: (Operation, [Tensor]) -> Tensor?
    ) throws -> Graph {
        let builder = GraphBuilder(name: name, catalog: NoWeights())
        var moved: [Tensor] = []
        moved.reserveCapacity(nodes.count)
        for node in nodes {
            builder.layer = node.layer
            let inputs = node.inputs.map { moved[$0] }
            let result =
                replace(node.operation, inputs)
                ?? builder.append(node.operation, inputs, type: node.type, expanding: isExpanded)
            if result.type != node.type {
                builder.report(
                    .mismatch(
                        layer: node.layer, "\(node.operation.name) becomes \(result.type), not \(node.type)")
                )
            }
            moved.append(result)
        }
        return try builder.finish(outputs: outputs.map { ($0.name, moved[$0.node]) } + more())
    }
}

/// The catalogue of a graph that declares no weights of its own.
struct NoWeights: WeightCatalog {
    var names: [String] { [] }
    var origin: String { "no checkpoint" }
    func entry(named name: String) -> WeightEntry? { nil }
}
