import EngineInterface
import TensorGraph

extension Lowering {
    /// The value of a node that is computed by itself.
    ///
    /// - Parameter element: What its numbers are to be, if they are not whole ones.
    mutating func lower(_ node: Graph.Node, element: Element) throws -> View {
        let inputs = try node.inputs.map { try value($0, as: element) }
        let shape = node.type.shape.dimensions
        switch node.operation {
        case .composite(let composite): return try lower(composite, inputs)
        case .primitive(let primitive):
            switch primitive {
            case .input(let name): return try input(name, type: node.type, element)
            case .weight(let name, let storage):
                return place(.weight(name, storage: storage), shape, element)
            case .constant(let tensor): return place(.constant(tensor), shape, element)
            case .unary(let unary): return try apply(Function(unary), inputs[0])
            case .binary(let binary): return try apply(binary, inputs[0], inputs[1], shape: shape)
            case .softmax(let axis): return try softmax(inputs[0], axis: axis)
            case .reduce(let reduction): return try reduce(inputs[0], reduction, shape: shape)
            case .matrixMultiply, .convolution: preconditionFailure("products begin fusions")
            case .upsampleNearest(let factor): return try upsample(inputs[0], factor: factor)
            case .gather: return try gather(inputs[0], inputs[1], shape: shape)
            case .scatter(let scatter):
                return try self.scatter(inputs[2], to: inputs[1], of: inputs[0], scatter)
            case .topIndices: return try topIndices(inputs[0], shape: shape)
            case .reshape:
                if let view = inputs[0].reshaped(shape) { return view }
                let moved = try contiguous(inputs[0])
                guard let view = moved.reshaped(shape) else {
                    preconditionFailure("row-major order has any shape")
                }
                return view
            case .transpose(let permutation): return inputs[0].permuted(permutation)
            case .concatenate(let axis): return try concatenate(inputs, axis: axis, shape: shape)
            case .slice(let slice): return inputs[0].cut(axis: slice.axis, slice.start..<slice.end)
            }
        }
    }

    private mutating func lower(_ composite: any CompositeOperation, _ inputs: [View]) throws -> View {
        if let function = Function(composite) { return try apply(function, inputs[0]) }
        switch composite {
        case is GEGLU: return try gatedGELU(inputs[0])
        case let norm as LayerNorm:
            return try normalize(inputs[0], norm, scale: inputs[1], shift: inputs[2])
        case let attention as ScaledDotProductAttention:
            return try attend(
                queries: inputs[0], keys: inputs[1], values: inputs[2],
                mask: inputs.count == 4 ? inputs[3] : nil, scale: attention.scale)
        default: preconditionFailure("\(composite.name) was not decomposed")
        }
    }

    /// The value at the end of a fusion.
    mutating func lower(_ fusion: Fusion, enlarged: Set<Int>) throws -> View {
        let node = graph.nodes[fusion.root]
        let shape = node.type.shape.dimensions
        switch node.operation {
        case .composite(let composite as GroupNorm):
            let inputs = try node.inputs.map { try number($0) }
            return try normalize(
                inputs[0], composite, scale: inputs[1], shift: inputs[2], fusion.function)
        case .primitive(.matrixMultiply(let product)):
            return try multiply(
                number(node.inputs[0]), number(node.inputs[1]), product, shape: shape,
                bias: fusion.bias.map { try number($0) }, residual: fusion.residual.map { try number($0) },
                fusion.function, isGated: fusion.isGated)
        case .primitive(.convolution(let convolution)):
            var (source, enlargement) = (node.inputs[0], 1)
            if enlarged.contains(source),
                case .primitive(.upsampleNearest(let factor)) = graph.nodes[source].operation
            {
                (source, enlargement) = (graph.nodes[source].inputs[0], factor)
            }
            return try convolve(
                number(source), kernel(node.inputs[1]), convolution, enlargement: enlargement, shape: shape,
                bias: fusion.bias.map { try number($0) },
                pictureBias: fusion.pictureBias.map { try pictures(number($0), count: shape[0]) },
                residual: fusion.residual.map { try number($0) }, fusion.function)
        default: preconditionFailure("\(node.operation.name) begins no fusion")
        }
    }

    /// A number for each channel of so many pictures, `[N, C, 1, 1]`, which may all have the same.
    private mutating func pictures(_ view: View, count: Int) throws -> View {
        var view = try contiguous(view)
        if view.rank < 4 || view.shape[0] == 1 {
            view.shape = [count, view.count, 1, 1]
            view.strides = [0, 1, 1, 1]
        }
        return view
    }

    /// A kernel `[O, C, kH, kW]` whose channels are nearest in memory.
    private mutating func kernel(_ node: Int) throws -> View {
        if case .primitive(.weight(let name, let storage)) = graph.nodes[node].operation {
            return place(
                .weight(name, storage: storage), graph.nodes[node].type.shape.dimensions, .number,
                order: Self.channelsLast)
        }
        return try dense(try number(node), order: Self.channelsLast)
    }
}
