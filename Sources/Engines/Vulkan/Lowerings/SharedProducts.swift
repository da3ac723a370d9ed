import TensorGraph

/// Products of one value with several weights: the queries, the keys and the values of attention. They are computed as one,
/// whose columns they are.
struct SharedProducts {
    /// The matrix products, in the order of the graph.
    let nodes: [Int]

    /// Those of a graph, by the first node of each.
    ///
    /// - Parameters:
    ///   - mostNumbers: How many numbers the weights of one may have together; nil for any number of them.
    ///   - isPlain: Whether nothing is computed together with a product before its results are written.
    static func all(
        in graph: Graph, mostNumbers: Int?, isPlain: (Int) -> Bool
    ) -> [Int: SharedProducts] {
        var byValue: [Int: [(nodes: [Int], numbers: Int)]] = [:]
        for (index, node) in graph.nodes.enumerated() where isPlain(index) {
            guard case .primitive(.matrixMultiply(let product)) = node.operation, product.transposesRight,
                !product.transposesLeft, graph.nodes[node.inputs[1]].isMatrixOfWeights
            else { continue }
            let numbers = graph.nodes[node.inputs[1]].type.shape.count
            var groups = byValue[node.inputs[0]] ?? []
            if let last = groups.last, last.numbers + numbers <= mostNumbers ?? .max {
                groups[groups.count - 1] = (last.nodes + [index], last.numbers + numbers)
            } else {
                groups.append(([index], numbers))
            }
            byValue[node.inputs[0]] = groups
        }
        return Dictionary(
            uniqueKeysWithValues: byValue.values.joined().filter { $0.nodes.count > 1 }.map {
                ($0.nodes[0], SharedProducts(nodes: $0.nodes))
            })
    }
}

extension Graph.Node {
    fileprivate var isMatrixOfWeights: Bool {
        if case .primitive(.weight) = operation { type.shape.rank == 2 } else { false }
    }
}

extension Lowering {
    /// The values of the products, in their order.
    mutating func multiply(_ shared: SharedProducts) throws -> [View] {
        let nodes = shared.nodes.map { graph.nodes[$0] }
        let matrices = nodes.map { graph.nodes[$0.inputs[1]] }
        let columns = matrices.map { $0.type.shape[0] }
        let parts = matrices.map { matrix -> PlacedWeight.Source in
            guard case .primitive(.weight(let name, let storage)) = matrix.operation else {
                preconditionFailure("\(matrix.operation.name) is no weight")
            }
            return .weight(name, storage: storage)
        }
        let depth = matrices[0].type.shape[1]
        let whole = columns.reduce(0, +)
        let b = place(.rows(parts, counts: columns), [whole, depth], .number)
        var shape = nodes[0].type.shape.dimensions
        shape[shape.count - 1] = whole
        let y = try multiply(
            number(nodes[0].inputs[0]), b, MatrixMultiply(transposesRight: true), shape: shape)
        var start = 0
        return columns.map { count in
            defer { start += count }
            return y.cut(axis: y.rank - 1, start..<start + count)
        }
    }
}
