extension Graph {
    /// The graph with two outputs more, `lowest` and `highest` `[weights]`: the extent of what each of some weights is
    /// multiplied with, as the right operand of a matrix product or a convolution's kernel.
    ///
    /// - Parameter weights: Their names; those that the graph does not use so are left out.
    /// - Returns: The graph, and the names in the order of the outputs' elements.
    /// - Throws: ``GraphError``, where the graph is not well formed.
    public func observing(_ weights: Set<String>) throws -> (graph: Graph, weights: [String]) {
        var observed: [(weight: String, input: Tensor)] = []
        // What several layers read is looked at once.
        var known: [Int: (lowest: Tensor, highest: Tensor)] = [:]
        func extent(_ x: Tensor) -> (lowest: Tensor, highest: Tensor) {
            if let extent = known[x.node] { return extent }
            let axes = Array(0..<x.shape.rank)
            let highest = reshape(maximum(x, axes: axes), [1])
            let lowest = reshape(maximum(x * -1, axes: axes), [1]) * -1
            known[x.node] = (lowest, highest)
            return (lowest, highest)
        }
        func extents() -> [(String, Tensor)] {
            let all = observed.map { extent($0.input) }
            guard !all.isEmpty else { return [] }
            return [
                ("lowest", concatenate(all.map(\.lowest), axis: 0)),
                ("highest", concatenate(all.map(\.highest), axis: 0)),
            ]
        }
        var index = nodes.startIndex
        let graph = try rewritten(adding: extents) { operation, inputs in
            defer { index += 1 }
            switch operation {
            case .primitive(.matrixMultiply), .primitive(.convolution):
                let right = nodes[nodes[index].inputs[1]].operation
                guard case .primitive(.weight(let name, _)) = right, weights.contains(name) else { break }
                observed.append((name, inputs[0]))
            default: break
            }
            return nil
        }
        return (graph, observed.map(\.weight))
    }
}
