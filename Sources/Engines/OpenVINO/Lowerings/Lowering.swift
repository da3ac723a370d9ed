import TensorGraph

/// A graph in OpenVINO's terms.
struct Lowering {
    struct TilingKey: Hashable {
        let width: Int
        let isTiling: Bool
    }

    var representation = IntermediateRepresentation()
    let forms: ConvolutionForms
    /// Nil where attention is the library's own.
    let flashAttention: FlashAttention?
    /// Whether weights of integers of 8 bits lose their last one, where activations are rounded too.
    let halvesIntegers: Bool
    /// The matrices of Winograd's algorithm that are there already.
    var tilings: [TilingKey: Value] = [:]

    /// Lowers a verified graph; composites that have no form of their own here are decomposed first.
    ///
    /// - Parameters:
    ///   - keepsOrderOfSums: Whether results must not depend on the number of threads.
    ///   - halvesIntegers: Whether the processor adds products of integers of 8 bits in pairs of 16 bits, which hold those of
    ///     weights of 7 bits alone.
    ///   - flashAttention: For graphs that are computed at bfloat16, where there is such an operation.
    init(
        _ graph: Graph, forms: ConvolutionForms = .plain, keepsOrderOfSums: Bool = false,
        halvesIntegers: Bool = false, flashAttention: FlashAttention? = nil
    ) throws {
        self.forms = forms
        self.flashAttention = flashAttention
        self.halvesIntegers = halvesIntegers && graph.roundsActivations
        representation.keepsOrderOfSums = keepsOrderOfSums
        let graph = try graph.decomposed { !($0 is any LoweredComposite) }
        let covered: Set<Int> =
            switch forms.upsampled {
            case .never: []
            // The kernels grow by 16/9, too much where they are large for the work they do.
            case .whereFaster: graph.upsamplingsWithinConvolutions(ofAtLeast: 256)
            case .wherePossible: graph.upsamplingsWithinConvolutions(ofAtLeast: 1)
            }
        let gated = graph.gatedLinearLayers()
        let halved = Set(gated.values.flatMap(\.nodes))
        var values: [IntermediateRepresentation.Value] = []
        values.reserveCapacity(graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            representation.scope = node.layer
            let inputs = node.inputs.map { values[$0] }
            if let layer = gated[index] {
                values.append(lower(layer, of: graph, inputs[0], type: node.type))
                continue
            }
            switch node.operation {
            case _ where halved.contains(index): values.append(inputs[0])
            case .primitive(.upsampleNearest) where covered.contains(index): values.append(inputs[0])
            case .primitive(.slice(let slice)) where slice.axis == 0 && graph.isStored(node.inputs[0]):
                values.append(lowerRows(slice.start..<slice.end, of: node.inputs[0], in: graph))
            case .primitive(.gather):
                values.append(lowerGather(inputs, table: graph.storedWeight(node.inputs[0]), type: node.type))
            case .primitive(.convolution(let convolution)):
                let source = ConvolutionSource(
                    kernel: graph.storedKernel(node.inputs[1]), isUpsampled: covered.contains(node.inputs[0]))
                values.append(lowerConvolution(convolution, inputs, source, type: node.type))
            case .primitive(let primitive): values.append(lower(primitive, inputs, type: node.type))
            case .composite(let composite):
                guard let lowered = composite as? any LoweredComposite else {
                    preconditionFailure("\(composite.name) was not decomposed")
                }
                let moved = node.inputs.map {
                    graph.source(of: $0, exchanging: [0, 2, 1, 3]).map { values[$0] }
                }
                if let attention = composite as? ScaledDotProductAttention,
                    let flash = lowerFlashAttention(attention, inputs, moved: moved, type: node.type)
                {
                    values.append(flash)
                } else {
                    values.append(lowered.lower(inputs, type: node.type, into: &representation))
                }
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
    fileprivate var roundsActivations: Bool {
        nodes.contains { node in
            if case .composite(let composite) = node.operation { composite is FakeQuantize } else { false }
        }
    }

    /// The node whose axes a transposition so exchanges; nil for a node of another kind.
    fileprivate func source(of node: Int, exchanging permutation: [Int]) -> Int? {
        guard case .primitive(.transpose(permutation)) = nodes[node].operation else { return nil }
        return nodes[node].inputs[0]
    }

    /// The outputs that are not inputs handed back: those the library shares with other results' memory.
    var computedOutputs: [(name: String, node: Int)] {
        outputs.filter { output in
            if case .primitive(.input) = nodes[output.node].operation { false } else { true }
        }
    }
}
