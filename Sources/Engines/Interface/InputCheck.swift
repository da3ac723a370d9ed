import TensorGraph

extension Graph {
    /// Checks that the inputs are the declared ones, by name, shape and type.
    ///
    /// - Throws: ``EngineError/inputMismatch(graph:input:expected:actual:)`` for the first that is not.
    public func check(_ values: [String: HostTensor]) throws(EngineError) {
        for (name, type) in inputs {
            guard let value = values[name] else {
                throw .inputMismatch(
                    graph: self.name, input: name, expected: type.description, actual: "nothing")
            }
            let actual = TensorType(value.shape, value.elementType)
            guard actual == type else {
                throw .inputMismatch(
                    graph: self.name, input: name, expected: type.description, actual: actual.description)
            }
        }
        let declared = Set(inputs.map(\.name))
        if let extra = values.keys.sorted().first(where: { !declared.contains($0) }) {
            throw .inputMismatch(
                graph: self.name, input: extra, expected: "no such input", actual: "a value")
        }
    }
}
