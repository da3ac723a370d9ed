import TensorGraph

/// The kinds of primitive and the composites that no case has: empty where the cases cover all.
public func uncoveredOperations(in cases: [ConformanceCase]) -> Set<String> {
    var missing = allOperations
    for one in cases {
        for node in one.graph.nodes { missing.remove(node.operation.name) }
    }
    return missing
}

private let allOperations: Set<String> = {
    let samples: [Primitive] =
        [
            .input(""), .weight("", storage: .float32), .constant(HostTensor([0] as [Float], shape: [1])),
            .softmax(axis: 0), .matrixMultiply(MatrixMultiply()), .convolution(Convolution()),
            .upsampleNearest(factor: 2), .gather, .topIndices(count: 1), .reshape([]), .transpose([]),
            .concatenate(axis: 0),
            .slice(Slice(axis: 0, start: 0, end: 0)),
        ] + Unary.allCases.map { .unary($0) } + Scatter.allCases.map { .scatter($0) }
        + Binary.allCases.map { .binary($0) }
        + Reduction.Kind.allCases.map { .reduce(Reduction($0, axes: [])) }
    let composites: [any CompositeOperation] = [
        SiLU(), GELU(), QuickGELU(), GEGLU(), LayerNorm(epsilon: 0), GroupNorm(groups: 1, epsilon: 0),
        ScaledDotProductAttention(scale: 1), FakeQuantize(),
    ]
    return Set(samples.map(\.name) + composites.map(\.name))
}()
