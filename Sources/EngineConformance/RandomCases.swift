import TensorGraph

/// Cases of random shapes: convolution, normalisation and attention in a row. The same for the same seed.
public func randomCases(count: Int, seed: UInt64) throws -> [ConformanceCase] {
    var random = SplitMix64(seed: seed)
    return try (0..<count).map { index in
        let batch = Int.random(in: 1...8, using: &random)
        let groups = Int.random(in: 1...4, using: &random)
        let heads = Int.random(in: 1...3, using: &random)
        let channels = groups * heads * Int.random(in: 1...4, using: &random)
        let inputs = Int.random(in: 1...9, using: &random)
        let (height, width) = (Int.random(in: 1...9, using: &random), Int.random(in: 1...9, using: &random))
        let size = [1, 3, 5].randomElement(using: &random) ?? 1
        let stride = Int.random(in: 1...2, using: &random)
        let kernel: Shape = [channels, inputs, size, size]
        return try ConformanceCase(
            "random \(seed).\(index)",
            weights: [
                "c": (kernel, .float16), "n.weight": ([channels], .float32), "n.bias": ([channels], .float32),
            ]
        ) { builder in
            let x = builder.input("x", [batch, inputs, height, width])
            var y = convolution(
                x, kernel: builder.weights.tensor("c", kernel),
                Convolution(stride: stride, padding: .init(size / 2)))
            // One cell in a group has no variance: its normal form is noise.
            y = groupNorm(y, groups: groups, epsilon: 0.1, builder.weights["n"])
            let cells = y.size(2) * y.size(3)
            let split = transpose(
                reshape(y, [batch, heads, channels / heads, cells]), [0, 1, 3, 2])
            let attended = scaledDotProductAttention(queries: split, keys: split, values: split)
            return ["y": silu(attended), "normal": y]
        }
    }
}
