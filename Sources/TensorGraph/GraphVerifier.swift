extension Graph {
    /// Checks what every engine relies on: order, types as the operations infer them, one name an input,
    /// and outputs that exist.
    ///
    /// Graphs made by ``build(_:weights:ignoring:_:)`` hold this by construction; engines verify what they are
    /// given all the same, since a pass over the graph may have changed it.
    ///
    /// - Throws: ``GraphError`` with everything that does not hold.
    public func verify() throws {
        var problems: [GraphError.Problem] = []
        func fault(_ index: Int, _ reason: String) {
            problems.append(.mismatch(layer: nodes[index].layer, "node %\(index): \(reason)"))
        }
        var inputNames: Set<String> = []
        for (index, node) in nodes.enumerated() {
            guard node.inputs.allSatisfy({ (0..<index).contains($0) }) else {
                fault(index, "reads \(node.inputs), which do not all come before it")
                continue
            }
            if case .primitive(.input(let name)) = node.operation, !inputNames.insert(name).inserted {
                fault(index, "a second input named \"\(name)\"")
            }
            do {
                let inferred = try node.operation.infer(node.inputs.map { nodes[$0].type })
                if let inferred, inferred != node.type {
                    fault(index, "\(node.operation.name) gives \(inferred), not \(node.type)")
                }
            } catch {
                fault(index, "\(node.operation.name): \(error.reason)")
            }
        }
        for output in outputs where !nodes.indices.contains(output.node) {
            problems.append(
                .mismatch(layer: "", "output \"\(output.name)\" is node %\(output.node) of \(nodes.count)"))
        }
        if outputs.isEmpty { problems.append(.mismatch(layer: "", "the graph has no outputs")) }
        guard problems.isEmpty else { throw GraphError(graph: name, origin: "graph", problems: problems) }
    }
}

extension Operation {
    /// The type that follows from the inputs' types, or nil for an operation that has none.
    fileprivate func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType? {
        switch self {
        case .primitive(.input), .primitive(.weight): return nil
        case .primitive(.constant(let values)): return TensorType(values.shape, values.elementType)
        case .primitive(let primitive): return try primitive.infer(inputs)
        case .composite(let composite): return try composite.infer(inputs)
        }
    }
}
