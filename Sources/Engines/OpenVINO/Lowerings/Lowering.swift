import TensorGraph

/// A graph in OpenVINO's terms.
struct Lowering {
    struct TilingKey: Hashable {
        let width: Int
        let isTiling: Bool
    }

    var representation = IntermediateRepresentation()
    let forms: ConvolutionForms
    /// The matrices of Winograd's algorithm that are there already.
    var tilings: [TilingKey: Value] = [:]

    /// Lowers a verified graph; composites that have no form of their own here are decomposed first.
    ///
    /// - Parameter keepsOrderOfSums: Whether results must not depend on the number of threads.
    init(_ graph: Graph, forms: ConvolutionForms = .plain, keepsOrderOfSums: Bool = false) throws {
        self.forms = forms
        representation.keepsOrderOfSums = keepsOrderOfSums
        let graph = try graph.decomposed { !($0 is any LoweredComposite) }
        let covered: Set<Int> =
            switch forms.upsampled {
            case .never: []
            // The kernels grow by 16/9, too much where they are large for the work they do.
            case .whereFaster: graph.upsamplingsWithinConvolutions(ofAtLeast: 256)
            case .wherePossible: graph.upsamplingsWithinConvolutions(ofAtLeast: 1)
            }
        var values: [IntermediateRepresentation.Value] = []
        values.reserveCapacity(graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            representation.scope = node.layer
            let inputs = node.inputs.map { values[$0] }
            switch node.operation {
            case .primitive(.upsampleNearest) where covered.contains(index): values.append(inputs[0])
            case .primitive(.gather):
                values.append(lowerGather(inputs, table: graph.storedWeight(node.inputs[0]), type: node.type))
            case .primitive(.convolution(let convolution)):
                let source = ConvolutionSource(
                    kernel: graph.storedWeight(node.inputs[1]), isUpsampled: covered.contains(node.inputs[0]))
                values.append(lowerConvolution(convolution, inputs, source, type: node.type))
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
