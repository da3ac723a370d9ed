extension Graph {
    /// How many multiplications and additions the products of a run take: those of matrices and convolutions, and
    /// attention. The rest of a network's arithmetic is next to nothing beside them.
    ///
    /// As the graph has them: an engine can need fewer, where it convolves by Winograd's algorithm.
    public var arithmeticCount: Int {
        nodes.reduce(0) { sum, node in
            let result = node.type.shape.count
            func shape(_ input: Int) -> Shape { nodes[node.inputs[input]].type.shape }
            switch node.operation {
            case .primitive(.matrixMultiply(let product)):
                return sum + 2 * result * (product.transposesLeft ? shape(0)[-2] : shape(0)[-1])
            case .primitive(.convolution):
                return sum + 2 * result * shape(1).dimensions.dropFirst().reduce(1, *)
            case .composite(let composite) where composite is ScaledDotProductAttention:
                let (queries, keys, values) = (shape(0), shape(1), shape(2))
                return sum + 2 * queries.dimensions.dropLast().reduce(1, *) * keys[2] * (keys[3] + values[3])
            default: return sum
            }
        }
    }
}
