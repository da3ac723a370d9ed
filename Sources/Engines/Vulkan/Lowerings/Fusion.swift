import TensorGraph

/// What is computed together with a product, before its results are written: additions that follow, and a function or a
/// gate.
struct Fusion {
    /// The matrix product, the convolution or the group normalisation.
    let root: Int
    /// The node whose value is the whole's.
    private(set) var end: Int
    /// A number a channel, that is, a column of the product.
    private(set) var bias: Int?
    /// A number a picture and channel, or a second one a channel.
    private(set) var pictureBias: Int?
    /// A value of the same shape.
    private(set) var residual: Int?
    private(set) var function = Function.identity
    /// Whether one half of the product's columns are gates of the other (Shazeer, "GLU Variants Improve Transformer", 2020).
    private(set) var isGated = false

    /// The nodes that have no value of their own.
    private(set) var inner: [Int] = []

    /// Follows the readers of a node as long as each is the only one and in no other fusion.
    private init(
        _ root: Int, of graph: Graph, readers: [[Int]], isOutput: [Bool], isTaken: (Int) -> Bool
    ) {
        self.root = root
        end = root
        let shape = graph.nodes[root].type.shape
        let addsBias: Bool
        let channelAxis: Int
        switch graph.nodes[root].operation {
        case .primitive(.convolution): (addsBias, channelAxis) = (true, 1)
        case .primitive(.matrixMultiply): (addsBias, channelAxis) = (true, shape.rank - 1)
        default: (addsBias, channelAxis) = (false, 0)
        }
        while !isOutput[end], readers[end].count == 1, function == .identity {
            let reader = readers[end][0]
            guard !isTaken(reader) else { return }
            let node = graph.nodes[reader]
            if case .composite(is GEGLU) = node.operation,
                case .primitive(.matrixMultiply) = graph.nodes[root].operation, residual == nil
            {
                isGated = true
                inner.append(end)
                end = reader
                return
            }
            guard node.type.shape == shape else { return }
            switch node.operation {
            case .composite(let composite):
                guard let function = Function(composite) else { return }
                self.function = function
            case .primitive(.binary(.add)) where addsBias:
                guard node.inputs.count == 2, node.inputs[0] != node.inputs[1] else { return }
                let other = node.inputs[0] == end ? node.inputs[1] : node.inputs[0]
                let added = graph.nodes[other].type.shape
                // As many axes as the product, with ones in front.
                let whole =
                    [Int](repeating: 1, count: max(0, shape.rank - added.rank)) + added.dimensions
                let isChannels = whole.indices.allSatisfy {
                    whole[$0] == ($0 == channelAxis ? shape[channelAxis] : 1)
                }
                let isPictures =
                    channelAxis == 1 && shape.rank == 4
                    && (isChannels || whole == [shape[0], shape[1], 1, 1])
                if isChannels, bias == nil {
                    bias = other
                } else if isPictures, pictureBias == nil {
                    pictureBias = other
                } else if added == shape, residual == nil {
                    residual = other
                } else {
                    return
                }
            default: return
            }
            inner.append(end)
            end = reader
        }
    }

    /// The fusions of a graph, by the node that ends each, and the nodes within them.
    static func all(in graph: Graph) -> (byEnd: [Int: Fusion], inner: Set<Int>) {
        var readers = [[Int]](repeating: [], count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            for input in node.inputs { readers[input].append(index) }
        }
        var isOutput = [Bool](repeating: false, count: graph.nodes.count)
        for output in graph.outputs { isOutput[output.node] = true }
        var (byEnd, inner): ([Int: Fusion], Set<Int>) = ([:], [])
        for (index, node) in graph.nodes.enumerated() where node.operation.beginsFusion {
            // A sum of two products belongs to the first of them, which reads the other.
            let fusion = Fusion(index, of: graph, readers: readers, isOutput: isOutput) {
                inner.contains($0) || byEnd[$0] != nil
            }
            byEnd[fusion.end] = fusion
            inner.formUnion(fusion.inner)
        }
        return (byEnd, inner)
    }
}

extension Operation {
    fileprivate var beginsFusion: Bool {
        switch self {
        case .primitive(.convolution), .primitive(.matrixMultiply): true
        case .primitive: false
        case .composite(let composite): composite is GroupNorm
        }
    }
}
