import TensorGraph

/// A linear layer whose only reader is GEGLU: two layers of half the rows compute the same, without a copy of each half
/// of the result, and GELU is part of the second one's product.
struct GatedLinear {
    /// The product and, where there is a bias, the sum.
    let nodes: [Int]
    /// The weight `[2 D, inputs]`, and the bias `[2 D]` if any.
    let weight: Int
    let bias: Int?
}

extension Graph {
    /// The linear layers that are to be computed in halves, by the GEGLU that reads them.
    func gatedLinearLayers() -> [Int: GatedLinear] {
        var readers = [Int](repeating: 0, count: nodes.count)
        for node in nodes { for input in node.inputs { readers[input] += 1 } }
        for output in outputs { readers[output.node] += 1 }
        var layers: [Int: GatedLinear] = [:]
        for (index, node) in nodes.enumerated() {
            guard case .composite(let composite) = node.operation, composite is GEGLU else { continue }
            var product = node.inputs[0]
            var bias: Int?
            if case .primitive(.binary(.add)) = nodes[product].operation, readers[product] == 1,
                case let inputs = nodes[product].inputs, isStored(inputs[1]),
                nodes[inputs[1]].type.shape == [nodes[product].type.shape[-1]]
            {
                (product, bias) = (inputs[0], inputs[1])
            }
            guard case .primitive(.matrixMultiply(let multiply)) = nodes[product].operation,
                multiply == MatrixMultiply(transposesLeft: false, transposesRight: true),
                readers[product] == 1,
                case let weight = nodes[product].inputs[1], isStored(weight),
                nodes[weight].type.shape.rank == 2
            else { continue }
            layers[index] = GatedLinear(
                nodes: bias == nil ? [product] : [product, node.inputs[0]], weight: weight, bias: bias)
        }
        return layers
    }
}

extension Lowering {
    mutating func lower(_ layer: GatedLinear, of graph: Graph, _ x: Value, type: TensorType) -> Value {
        let size = type.shape[-1]
        func half(_ rows: Range<Int>) -> Value {
            let product = lowerProduct(
                MatrixMultiply(transposesLeft: false, transposesRight: true),
                [x, lowerRows(rows, of: layer.weight, in: graph)], type: type)
            guard let bias = layer.bias else { return product }
            return representation.add(
                "Add", "opset1", [product, lowerRows(rows, of: bias, in: graph)],
                ["auto_broadcast": "numpy"], gives: type)
        }
        let (value, gate) = (half(0..<size), half(size..<2 * size))
        return representation.addGated(value, by: gate)
    }
}

extension GEGLU: LoweredComposite {
    func lower(
        _ inputs: [Value], type: TensorType, into representation: inout IntermediateRepresentation
    ) -> Value {
        let halves = representation.add(
            "Split", "opset1",
            [inputs[0], representation.addConstant(HostTensor([Int32(type.shape.rank - 1)], shape: []))],
            ["num_splits": "2"], gives: [type, type])
        return representation.addGated(halves[0], by: halves[1])
    }
}

extension IntermediateRepresentation {
    /// Adds a · GELU(b).
    fileprivate mutating func addGated(_ value: Value, by gate: Value) -> Value {
        let factor = GELU().lower([gate], type: gate.type, into: &self)
        return add(
            "Multiply", "opset1", [value, factor], ["auto_broadcast": "numpy"], gives: value.type)
    }
}
