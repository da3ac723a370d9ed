import TensorGraph

extension Graph {
    /// Whether a node's value is a weight of the checkpoint, or one times its scale, in rows of any shape.
    func isStored(_ node: Int) -> Bool {
        switch nodes[node].operation {
        case .primitive(.weight(_, let storage)): storage.isTaken(in: nodes[node].type.shape)
        case .primitive(.reshape):
            nodes[node].type.shape.rank > 0 && nodes[nodes[node].inputs[0]].type.shape.rank > 0
                && nodes[node].type.shape[0] == nodes[nodes[node].inputs[0]].type.shape[0]
                && isStored(nodes[node].inputs[0])
        case .primitive(.binary(.multiply)):
            nodes[node].type.shape.rank > 0
                && nodes[node].inputs.allSatisfy {
                    storedWeight($0) != nil && isStored($0)
                        && nodes[$0].type.shape.rank == nodes[node].type.shape.rank
                        && nodes[$0].type.shape[0] == nodes[node].type.shape[0]
                }
        default: false
        }
    }
}

extension ElementType {
    /// Whether the library takes a weight so, or is given it as `float32`: of integers of 4 bits it needs an even number on
    /// the innermost axis, or else multiplies with others than these (seen in its release 2026.4). Then each row begins
    /// with a byte, too.
    func isTaken(in shape: Shape) -> Bool {
        bitCount >= 8 || shape.dimensions.last?.isMultiple(of: 2) == true
    }
}

extension Lowering {
    /// Some of the rows of what the checkpoint stores, read where they are: a part of a weight along its first axis is a
    /// range of its bytes.
    mutating func lowerRows(_ rows: Range<Int>, of node: Int, in graph: Graph) -> Value {
        let (operation, type) = (graph.nodes[node].operation, graph.nodes[node].type)
        var shape = type.shape
        shape[0] = rows.count
        switch operation {
        case .primitive(.weight(let name, let storage)):
            let rowSize = storage.byteCount(of: type.shape.count / max(type.shape[0], 1))
            return lowerWeight(
                at: .weight(name, byteOffset: rows.lowerBound * rowSize), storage: storage,
                type: TensorType(shape, type.elementType))
        case .primitive(.reshape):
            let part = lowerRows(rows, of: graph.nodes[node].inputs[0], in: graph)
            return representation.addReshape(part, to: shape)
        default:
            let parts = graph.nodes[node].inputs.map { lowerRows(rows, of: $0, in: graph) }
            return representation.add(
                "Multiply", "opset1", parts, ["auto_broadcast": "numpy"],
                gives: TensorType(shape, type.elementType))
        }
    }
}

extension FakeQuantize: LoweredComposite {
    func lower(
        _ inputs: [Value], type: TensorType, into representation: inout IntermediateRepresentation
    ) -> Value {
        representation.add(
            "FakeQuantize", "opset1", [inputs[0], inputs[1], inputs[2], inputs[1], inputs[2]],
            ["levels": String(levels), "auto_broadcast": "numpy"], gives: type)
    }
}
