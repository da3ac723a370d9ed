import TensorGraph

/// Products whose numbers lie in eights, of whole tiles and of parts of one, with all that follows them.
public func cooperativeProductCases() throws -> [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for (rows, inner, columns) in [
        (130, 40, 152), (64, 64, 64), (3, 320, 200), (200, 296, 72), (128, 8, 128),
    ] {
        cases.append(
            try ConformanceCase(
                "linear \(rows) \(inner) \(columns)",
                weights: ["w": ([columns, inner], .float16), "b": ([columns], .float32)]
            ) { builder in
                let product = matrixMultiply(
                    builder.input("x", [1, rows, inner]), builder.weights.tensor("w", [columns, inner]),
                    transposesRight: true)
                return [
                    "y": gelu(
                        product + builder.weights.tensor("b", [columns])
                            + builder.input("r", [1, rows, columns]))
                ]
            })
    }
    for (rows, inner, columns) in [(130, 40, 304), (3, 320, 400), (64, 96, 128)] {
        cases.append(
            try ConformanceCase(
                "gated \(rows) \(inner) \(columns)",
                weights: ["w": ([columns, inner], .float16), "b": ([columns], .float32)]
            ) { builder in
                let product = matrixMultiply(
                    builder.input("x", [2, rows, inner]), builder.weights.tensor("w", [columns, inner]),
                    transposesRight: true)
                return ["y": geglu(product + builder.weights.tensor("b", [columns]))]
            })
    }
    cases.append(
        try ConformanceCase("rows by columns", weights: [:]) { builder in
            [
                "y": matrixMultiply(
                    reshape(builder.input("a", [6, 70, 48]), [2, 3, 70, 48]),
                    reshape(builder.input("b", [6, 48, 40]), [2, 3, 48, 40]))
            ]
        })
    cases.append(
        try ConformanceCase("rows by columns, an odd sum", weights: [:]) { builder in
            let a = slice(builder.input("a", [1, 70, 48]), axis: 2, 0..<40)
            return ["y": matrixMultiply(a, builder.input("b", [1, 40, 136]))]
        })
    let pictures: [(Int, Int, Int, Int, Int, Int)] = [
        // Batch, channels, outputs, height, width, size of the kernel.
        (2, 16, 136, 9, 11, 3), (1, 40, 24, 13, 12, 3), (8, 8, 64, 4, 5, 1), (1, 320, 64, 8, 8, 3),
    ]
    for (batch, channels, outputs, height, width, size) in pictures {
        let kernel: Shape = [outputs, channels, size, size]
        cases.append(
            try ConformanceCase(
                "convolution \(batch) \(channels) \(outputs) \(height) \(width) \(size)",
                weights: ["k": (kernel, .float16), "b": ([outputs], .float32)]
            ) { builder in
                let product = convolution(
                    builder.input("x", [batch, channels, height, width]),
                    kernel: builder.weights.tensor("k", kernel), Convolution(padding: .init(size / 2)))
                let bias = reshape(builder.weights.tensor("b", [outputs]), [1, outputs, 1, 1])
                return [
                    "y": silu(
                        product + bias + builder.input("t", [batch, outputs, 1, 1])
                            + builder.input("r", [batch, outputs, height, width]))
                ]
            })
    }
    // Few channels come out: pictures, and noise.
    for outputs in [3, 4] {
        let kernel: Shape = [outputs, 32, 3, 3]
        cases.append(
            try ConformanceCase(
                "convolution to \(outputs) channels",
                weights: ["k": (kernel, .float16), "b": ([outputs], .float32)]
            ) { builder in
                let product = convolution(
                    builder.input("x", [2, 32, 9, 7]), kernel: builder.weights.tensor("k", kernel),
                    Convolution(padding: .init(1)))
                return ["y": product + reshape(builder.weights.tensor("b", [outputs]), [1, outputs, 1, 1])]
            })
    }
    let kernel: Shape = [48, 24, 3, 3]
    cases.append(
        try ConformanceCase("every second pixel", weights: ["k": (kernel, .float16)]) { builder in
            [
                "y": convolution(
                    builder.input("x", [2, 24, 9, 8]), kernel: builder.weights.tensor("k", kernel),
                    Convolution(stride: 2, padding: .init(1)))
            ]
        })
    cases.append(
        try ConformanceCase("an enlarged picture", weights: ["k": (kernel, .float16)]) { builder in
            [
                "y": convolution(
                    upsampleNearest(builder.input("x", [2, 24, 5, 6]), factor: 2),
                    kernel: builder.weights.tensor("k", kernel), Convolution(padding: .init(1)))
            ]
        })
    cases.append(
        try ConformanceCase("channels in groups", weights: ["k": (kernel, .float16)]) { builder in
            [
                "y": convolution(
                    builder.input("x", [2, 48, 6, 7]), kernel: builder.weights.tensor("k", kernel),
                    Convolution(padding: .init(1), groups: 2))
            ]
        })
    return cases
}

/// Attention with heads of the networks' sizes, and with numbers of queries and keys that are no multiples of tiles.
public func cooperativeAttentionCases() throws -> [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for (batch, heads, queries, keys, size) in [
        (2, 2, 130, 130, 40), (1, 3, 65, 77, 80), (2, 1, 33, 64, 160), (1, 1, 1030, 77, 64),
        (1, 1, 5, 200, 8),
    ] {
        cases.append(
            try ConformanceCase("attention \(batch) \(heads) \(queries) \(keys) \(size)", weights: [:]) {
                builder in
                [
                    "y": scaledDotProductAttention(
                        queries: builder.input("q", [batch, heads, queries, size]),
                        keys: builder.input("k", [batch, heads, keys, size]),
                        values: builder.input("v", [batch, heads, keys, size]))
                ]
            })
    }
    cases.append(
        try ConformanceCase("attention with a mask", weights: [:]) { builder in
            [
                "y": scaledDotProductAttention(
                    queries: builder.input("q", [2, 3, 77, 64]), keys: builder.input("k", [2, 3, 77, 64]),
                    values: builder.input("v", [2, 3, 77, 64]), mask: builder.input("m", [77, 77]))
            ]
        })
    return cases
}
