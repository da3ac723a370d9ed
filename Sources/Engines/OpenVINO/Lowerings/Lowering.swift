import TensorGraph

/// A graph in OpenVINO's terms.
struct Lowering {
    var representation = IntermediateRepresentation()

    /// Lowers a verified graph; composites that have no form of their own here are decomposed first.
    init(_ graph: Graph) throws {
        let graph = try graph.decomposed { !($0 is any LoweredComposite) }
        var values: [IntermediateRepresentation.Value] = []
        values.reserveCapacity(graph.nodes.count)
        for node in graph.nodes {
            representation.scope = node.layer
            let inputs = node.inputs.map { values[$0] }
            switch node.operation {
            case .primitive(let primitive): values.append(lower(primitive, inputs, type: node.type))
            case .composite(let composite):
                guard let lowered = composite as? any LoweredComposite else {
                    preconditionFailure("\(composite.name) was not decomposed")
                }
                values.append(lowered.lower(inputs, type: node.type, into: &representation))
            }
        }
        for output in graph.computedOutputs {
            _ = representation.add("Result", "opset1", [values[output.node]], gives: [])
        }
    }
}

/// A composite operation that OpenVINO has itself.
protocol LoweredComposite: CompositeOperation {
    func lower(
        _ inputs: [IntermediateRepresentation.Value], type: TensorType,
        into representation: inout IntermediateRepresentation
    ) -> IntermediateRepresentation.Value
}

extension Graph {
    /// The outputs that are not inputs handed back: those the library shares with other results' memory.
    var computedOutputs: [(name: String, node: Int)] {
        outputs.filter { output in
            if case .primitive(.input) = nodes[output.node].operation { false } else { true }
        }
    }
}
