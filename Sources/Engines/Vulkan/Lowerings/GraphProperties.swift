import TensorGraph

extension Graph {
    /// The values that lead to sines, cosines and roundings by operations on single elements: angles of hundreds of turns,
    /// of which 16 bits do not hold the fraction, and what is nearly half way between whole numbers.
    var nodesOfWideValues: Set<Int> {
        var found: Set<Int> = []
        for (index, node) in nodes.enumerated().reversed() {
            switch node.operation {
            case .primitive(.unary(.sine)), .primitive(.unary(.cosine)), .primitive(.unary(.round)):
                found.insert(index)
            default: guard found.contains(index) else { continue }
            }
            switch node.operation {
            case .primitive(.unary), .primitive(.binary), .primitive(.reshape), .primitive(.transpose),
                .primitive(.slice), .primitive(.concatenate):
                found.formUnion(
                    node.inputs.filter {
                        nodes[$0].type.elementType == .float32 && nodes[$0].operation.isElementwise
                    })
            default: break
            }
        }
        return found
    }

    /// The enlargements that are read by convolutions alone, as pictures.
    var upsamplingsWithinConvolutions: Set<Int> {
        var found = Set(nodes.indices.filter { nodes[$0].operation.isUpsampling })
        for (index, node) in nodes.enumerated() {
            for (place, input) in node.inputs.enumerated() {
                if case .primitive(.convolution) = nodes[index].operation, place == 0 { continue }
                found.remove(input)
            }
        }
        for output in outputs { found.remove(output.node) }
        return found
    }
}

extension Operation {
    fileprivate var isElementwise: Bool {
        switch self {
        case .primitive(.unary), .primitive(.binary), .primitive(.reshape), .primitive(.transpose),
            .primitive(.slice), .primitive(.concatenate), .primitive(.input), .primitive(.weight),
            .primitive(.constant):
            true
        default: false
        }
    }

    fileprivate var isUpsampling: Bool {
        if case .primitive(.upsampleNearest) = self { true } else { false }
    }
}
