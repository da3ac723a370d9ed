import TensorGraph

/// Cases for every composite operation, and for small networks of them.
public func compositeCases() throws -> [ConformanceCase] {
    try activationCases() + quantizationCases() + normalizationCases() + attentionCases() + convolutionCases()
        + networkCases()
}

private func activationCases() throws -> [ConformanceCase] {
    let activations: [(String, (Tensor) -> Tensor)] = [
        ("SiLU", silu), ("GELU", gelu), ("QuickGELU", quickGELU),
    ]
    var cases: [ConformanceCase] = []
    for (name, activation) in activations {
        for shape: Shape in [[], [1], [9], [2, 3, 5], [1, 4, 3, 3]] {
            cases.append(
                try ConformanceCase("\(name) \(shape)", magnitude: 8) {
                    ["y": activation($0.input("x", shape))]
                })
        }
    }
    for shape: Shape in [[2], [3, 8], [2, 5, 6]] {
        cases.append(
            try ConformanceCase("GEGLU \(shape)", magnitude: 5) { ["y": geglu($0.input("x", shape))] })
    }
    return cases
}

/// Rounding to levels alone, and the layers that integers of 8 bits are for.
private func quantizationCases() throws -> [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for (shape, low, high): (Shape, Float, Float) in [
        ([1], -1, 1.5), ([7], -0.5, 2), ([2, 3, 5], 0, 1), ([1, 4, 3, 3], -3, 0),
    ] {
        cases.append(
            try ConformanceCase("levels from \(low) to \(high) of \(shape)") {
                ["y": fakeQuantize($0.input("x", shape), from: low, to: high)]
            })
    }
    cases.append(
        try ConformanceCase(
            "linear layers of integers",
            weights: [
                "a": ([16, 12], .int8), "a_scale": ([16, 1], .float32), "b": ([6, 8], .int8),
                "b_scale": ([6, 1], .float32), "bias": ([16], .float16),
            ]
        ) { builder in
            let x = fakeQuantize(builder.input("x", [2, 5, 12]), from: -2, to: 1.5)
            let hidden = matrixMultiply(x, builder.weights.tensor("a", [16, 12]), transposesRight: true)
            let gated = geglu((hidden + builder.weights.tensor("bias", [16])) * 0.01)
            let product = matrixMultiply(
                fakeQuantize(gated, from: -4, to: 8), builder.weights.tensor("b", [6, 8]),
                transposesRight: true)
            return ["y": product * 0.001]
        })
    cases.append(
        try ConformanceCase(
            "convolution of integers",
            weights: ["k": ([8, 4, 3, 3], .int8), "k_scale": ([8, 1, 1, 1], .float32)]
        ) { builder in
            // Zero is one of the levels.
            let x = fakeQuantize(builder.input("x", [2, 4, 6, 5]), from: -0.5, to: 2.05)
            let kernel = builder.weights.tensor("k", [8, 4, 3, 3])
            return ["y": convolution(x, kernel: kernel, Convolution(padding: .init(1))) * 0.001]
        })
    return try cases + fourBitCases()
}

/// Integers of 4 bits, with rows that begin with a byte, and such that do not.
private func fourBitCases() throws -> [ConformanceCase] {
    let uses: [(String, (_ x: Tensor, _ weight: Tensor, GraphBuilder) -> Tensor)] = [
        ("product", { x, weight, _ in matrixMultiply(x, weight, transposesRight: true) * 0.1 }),
        ("gated product", { x, weight, _ in geglu(matrixMultiply(x, weight, transposesRight: true) * 0.02) }),
        (
            "rows",
            { x, weight, _ in
                matrixMultiply(x, slice(weight, axis: 0, 1..<4), transposesRight: true) * 0.1
            }
        ),
        (
            "table",
            { x, weight, builder in
                let places = builder.constant(HostTensor([3, 0, 5] as [Int32], shape: [3]))
                return matrixMultiply(x, gather(weight, at: places), transposesRight: true) * 0.1
            }
        ),
    ]
    var cases: [ConformanceCase] = []
    for (rows, groups, size) in [(40, 2, 32), (10, 3, 4), (10, 3, 3), (90, 3, 9), (16, 6, 5)] {
        for (name, use) in uses {
            cases.append(
                try ConformanceCase(
                    "\(name) of integers of 4 bits, \(rows) rows of \(groups) groups of \(size)",
                    weights: [
                        "w": ([rows, groups, size], .int4), "w_scale": ([rows, groups, 1], .float32),
                    ]
                ) { builder in
                    let weight = builder.weights.tensor("w", [rows, groups * size])
                    return ["y": use(builder.input("x", [2, 5, groups * size]), weight, builder)]
                })
        }
    }
    cases.append(
        try ConformanceCase(
            "convolution of integers of 4 bits",
            weights: ["k": ([3, 5, 3, 3], .int4), "k_scale": ([3, 1, 1, 1], .float32)]
        ) { builder in
            let kernel = builder.weights.tensor("k", [3, 5, 3, 3])
            let x = builder.input("x", [1, 5, 4, 4])
            return ["y": convolution(x, kernel: kernel, Convolution(padding: .init(1))) * 0.1]
        })
    return cases
}

private func normalizationCases() throws -> [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for shape: Shape in [[5], [1, 8], [2, 3, 16], [1, 7, 33]] {
        cases.append(
            try ConformanceCase(
                "layer norm \(shape)",
                weights: ["n.weight": ([shape[-1]], .float32), "n.bias": ([shape[-1]], .float16)]
            ) { builder in
                ["y": layerNorm(builder.input("x", shape) + 3, builder.weights["n"], epsilon: 1e-5)]
            })
    }
    for (shape, groups): (Shape, Int) in [
        ([1, 4, 1, 2], 1), ([2, 4, 3, 5], 4), ([3, 8, 4, 4], 2), ([1, 32, 7, 3], 8), ([2, 6, 9, 9], 3),
    ] {
        cases.append(
            try ConformanceCase(
                "group norm \(shape) \(groups)",
                weights: ["n.weight": ([shape[1]], .float32), "n.bias": ([shape[1]], .float32)]
            ) { builder in
                let x = builder.input("x", shape) * 4 - 1
                return ["y": groupNorm(x, groups: groups, epsilon: 1e-6, builder.weights["n"])]
            })
    }
    return cases
}

private func attentionCases() throws -> [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for (batch, heads, queries, keys, size) in [
        (1, 1, 1, 1, 1), (1, 2, 5, 5, 8), (2, 4, 9, 77, 8), (3, 1, 16, 3, 40), (1, 8, 6, 7, 5),
        (1, 1, 64, 64, 16),
    ] {
        for isMasked in [false, true] {
            cases.append(
                try ConformanceCase("attention \(batch) \(heads) \(queries) \(keys) \(size) \(isMasked)") {
                    builder in
                    let mask = isMasked ? builder.input("mask", [1, 1, queries, keys]) : nil
                    return [
                        "y": scaledDotProductAttention(
                            queries: builder.input("q", [batch, heads, queries, size]),
                            keys: builder.input("k", [batch, heads, keys, size]),
                            values: builder.input("v", [batch, heads, keys, size]), mask: mask)
                    ]
                })
        }
    }
    cases.append(
        try ConformanceCase("attention that looks back only") { builder in
            let later = (0..<6).flatMap { row in (0..<6).map { $0 > row ? -Float.infinity : 0 } }
            let x = builder.input("x", [2, 3, 6, 4])
            let mask = builder.constant(HostTensor(later, shape: [1, 1, 6, 6]))
            return ["y": scaledDotProductAttention(queries: x, keys: x, values: x, mask: mask)]
        })
    return cases
}

/// Convolutions of pictures of every width up to some tiles, and of pictures enlarged just before.
private func convolutionCases() throws -> [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for (height, width) in [(1, 1), (4, 2), (1, 3), (3, 4), (2, 5), (5, 8), (2, 9)] {
        for isEnlarged in [false, true] {
            let weights: KeyValuePairs = ["kernel": (Shape([5, 3, 3, 3]), ElementType.float16)]
            cases.append(
                try ConformanceCase("convolution \(height) \(width) \(isEnlarged)", weights: weights) {
                    builder in
                    let x = builder.input("x", [2, 3, height, width])
                    let kernel = builder.weights.tensor("kernel", [5, 3, 3, 3])
                    return [
                        "y": convolution(
                            isEnlarged ? upsampleNearest(x, factor: 2) : x, kernel: kernel,
                            Convolution(padding: .init(1)))
                    ]
                })
        }
    }
    cases.append(
        try ConformanceCase("enlarged picture of two readers", weights: ["kernel": ([2, 2, 3, 3], .float32)])
        {
            builder in
            let x = upsampleNearest(builder.input("x", [1, 2, 3, 3]), factor: 2)
            let kernel = builder.weights.tensor("kernel", [2, 2, 3, 3])
            return ["y": x + convolution(x, kernel: kernel, Convolution(padding: .init(1)))]
        })
    return cases
}

private func networkCases() throws -> [ConformanceCase] {
    [
        try ConformanceCase(
            "residual block",
            weights: [
                "n.weight": ([8], .float16), "n.bias": ([8], .float16), "c.weight": ([8, 8, 3, 3], .float16),
                "c.bias": ([8], .float16),
            ]
        ) { builder in
            let x = builder.input("x", [2, 8, 6, 5])
            let hidden = silu(groupNorm(x, groups: 4, epsilon: 1e-5, builder.weights["n"]))
            let kernel = builder.weights["c"].tensor("weight", [8, 8, 3, 3])
            let bias = reshape(builder.weights["c"].tensor("bias", [8]), [1, 8, 1, 1])
            return ["y": x + convolution(hidden, kernel: kernel, Convolution(padding: .init(1))) + bias]
        },
        try ConformanceCase(
            "transformer block",
            weights: [
                "n.weight": ([12], .float32), "n.bias": ([12], .float32), "q": ([12, 12], .bfloat16),
                "kv": ([12, 12], .float16), "ff": ([48, 12], .float32), "out": ([12, 24], .float32),
            ]
        ) { builder in
            let weights = builder.weights
            func heads(_ x: Tensor) -> Tensor {
                transpose(reshape(x, [x.size(0), x.size(1), 3, 4]), [0, 2, 1, 3])
            }
            let x = builder.input("x", [2, 10, 12])
            let normal = layerNorm(x, weights["n"])
            let queries = heads(matrixMultiply(normal, weights.tensor("q", [12, 12]), transposesRight: true))
            let keys = heads(matrixMultiply(normal, weights.tensor("kv", [12, 12]), transposesRight: true))
            let attended = scaledDotProductAttention(queries: queries, keys: keys, values: keys)
            let y = x + reshape(transpose(attended, [0, 2, 1, 3]), x.shape)
            let gated = geglu(matrixMultiply(y, weights.tensor("ff", [48, 12]), transposesRight: true))
            return ["y": y + matrixMultiply(gated, weights.tensor("out", [12, 24]), transposesRight: true)]
        },
    ]
}
