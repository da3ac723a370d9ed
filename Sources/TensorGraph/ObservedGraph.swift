extension Graph {
    /// The graph with two outputs more, `lowest` and `highest` `[weights]`: the extent of what each of some weights is
    /// multiplied with, as the right operand of a matrix product or a convolution's kernel.
    ///
    /// - Parameter weights: Their names; those that the graph does not use so are left out.
    /// - Returns: The graph, and the names in the order of the outputs' elements.
    /// - Throws: ``GraphError``, where the graph is not well formed.
    public func observing(_ weights: Set<String>) throws -> (graph: Graph, weights: [String]) {
        let builder = GraphBuilder(name: name, catalog: NoWeights())
        var moved: [Tensor] = []
        var observed: [(weight: String, input: Tensor)] = []
        for node in nodes {
            builder.layer = node.layer
            let inputs = node.inputs.map { moved[$0] }
            switch node.operation {
            case .primitive(.matrixMultiply), .primitive(.convolution):
                guard case .primitive(.weight(let name, _)) = nodes[node.inputs[1]].operation else { break }
                if weights.contains(name) { observed.append((name, inputs[0])) }
            default: break
            }
            moved.append(builder.append(node.operation, inputs, type: node.type, expanding: { _ in false }))
        }
        // What several layers read is looked at once.
        var extents: [Int: (lowest: Tensor, highest: Tensor)] = [:]
        func extent(_ x: Tensor) -> (lowest: Tensor, highest: Tensor) {
            if let known = extents[x.node] { return known }
            let axes = Array(0..<x.shape.rank)
            let highest = reshape(maximum(x, axes: axes), [1])
            let lowest = reshape(maximum(x * -1, axes: axes), [1]) * -1
            extents[x.node] = (lowest, highest)
            return (lowest, highest)
        }
        let all = observed.map { extent($0.input) }
        var outputs = self.outputs.map { ($0.name, moved[$0.node]) }
        if !all.isEmpty {
            outputs.append(("lowest", concatenate(all.map(\.lowest), axis: 0)))
            outputs.append(("highest", concatenate(all.map(\.highest), axis: 0)))
        }
        return (try builder.finish(outputs: outputs), observed.map(\.weight))
    }
}
