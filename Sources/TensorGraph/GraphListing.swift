extension Graph: CustomStringConvertible {
    /// The graph as text: a line a node with its number, type, operation, inputs and layer.
    public var description: String {
        var lines = ["\(name): \(nodes.count) nodes, \(weights.count) weights"]
        for (index, node) in nodes.enumerated() {
            let inputs = node.inputs.map { "%\($0)" }.joined(separator: ", ")
            let call = "\(node.operation.listed)(\(inputs))"
            let layer = node.layer.isEmpty ? "" : "  # \(node.layer)"
            lines.append("%\(index): \(node.type) = \(call)\(layer)")
        }
        for output in outputs { lines.append("return \(output.name): %\(output.node)") }
        return lines.joined(separator: "\n")
    }
}

extension Operation {
    /// The operation with its attributes, as the listing shows it.
    fileprivate var listed: String {
        switch self {
        case .composite(let composite): composite.name
        case .primitive(let primitive): primitive.listed
        }
    }
}

extension Primitive {
    fileprivate var listed: String {
        switch self {
        case .input(let name): "input \"\(name)\""
        case .weight(let name, let storage): "weight \"\(name)\" \(storage)"
        case .constant(let values): values.shape.count == 1 ? "constant \(values.floats[0])" : "constant"
        case .softmax(let axis): "softmax axis \(axis)"
        case .reduce(let reduction): "\(name) axes \(reduction.axes)"
        case .convolution(let convolution): "convolution stride \(convolution.stride)"
        case .upsampleNearest(let factor): "upsample nearest ×\(factor)"
        case .transpose(let permutation): "transpose \(permutation)"
        case .concatenate(let axis): "concatenate axis \(axis)"
        case .slice(let slice): "slice axis \(slice.axis) \(slice.start)..<\(slice.end)"
        case .topIndices(let count): "top \(count) indices"
        case .unary, .binary, .matrixMultiply, .gather, .scatter, .reshape: name
        }
    }
}
