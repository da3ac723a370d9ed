import EngineConformance
import TensorGraph

/// Rows and axes of whole vectors, of eight numbers in half precision and of four in single, and those beside them that are
/// not: other sizes, values that begin within a vector, and operands that are repeated.
func vectorCases() throws -> [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for shape: Shape in [[8], [20], [3, 5], [3, 40], [2, 16, 3, 5]] {
        cases.append(try ConformanceCase("SiLU \(shape)", magnitude: 8) { ["y": silu($0.input("x", shape))] })
    }
    let pairs: [(Shape, Shape)] = [
        ([3, 16], [3, 16]), ([3, 16], [16]), ([16], [3, 16]), ([3, 16], [3, 1]), ([], [24]),
        ([5, 1], [1, 32]),
        ([2, 16, 3, 5], [1, 16, 1, 1]), ([2, 16, 3, 5], [2, 16, 1, 1]), ([2, 16, 3, 5], [2, 1, 3, 5]),
        ([2, 12, 3, 5], [1, 12, 1, 1]), ([1, 8, 4, 1], [3, 8, 1, 4]),
    ]
    for (left, right) in pairs {
        cases.append(
            try ConformanceCase("difference \(left) \(right)") {
                ["y": $0.input("a", left) - $0.input("b", right)]
            })
    }
    for (start, end) in [(0, 16), (8, 32), (4, 20), (3, 19)] {
        cases.append(
            try ConformanceCase("channels \(start)..<\(end)") { builder in
                let x = slice(builder.input("x", [2, 32, 3, 5]), axis: 1, start..<end)
                return ["y": silu(x), "sum": x + builder.input("z", [1, end - start, 1, 1])]
            })
    }
    for channels in [[8, 24], [4, 12], [16, 4, 12], [3, 5]] {
        cases.append(
            try ConformanceCase("pictures of \(channels) channels in one") { builder in
                let parts = channels.enumerated().map { builder.input("x\($0)", [2, $1, 3, 5]) }
                return ["y": concatenate(parts, axis: 1) * 2]
            })
    }
    let halves: [(Shape, Shape, Int)] = [
        ([3, 16], [3, 8], 1), ([2, 16], [3, 16], 0), ([2, 3, 8], [2, 1, 8], 1), ([1, 2, 8], [1, 2, 8], 1),
        ([2, 8, 3, 5], [1, 8, 3, 5], 0), ([2, 8, 3, 5], [2, 8, 1, 5], 2), ([2, 8, 1, 1], [2, 24, 1, 1], 1),
    ]
    for (left, right, axis) in halves {
        cases.append(
            try ConformanceCase("\(left) and \(right) in one on axis \(axis)") {
                let (a, b) = ($0.input("a", left), $0.input("b", right))
                let twice = concatenate([a, a], axis: 0)
                return ["y": concatenate([a, b], axis: axis) * 2, "twice": twice * 2]
            })
    }
    cases.append(
        try ConformanceCase("parts of values in one") {
            let (a, b) = ($0.input("a", [2, 5, 24]), $0.input("b", [2, 7, 40]))
            let rows = concatenate(
                [slice(a, axis: 1, 1..<4), slice(slice(b, axis: 1, 2..<5), axis: 2, 8..<32)], axis: 1)
            let columns = concatenate([slice(a, axis: 2, 8..<24), slice(b, axis: 1, 1..<6)], axis: 2)
            // Rows that lie further apart than they are long, and are to follow each other.
            let apart = concatenate([slice(b, axis: 2, 0..<8), slice(b, axis: 2, 16..<24)], axis: 1)
            return ["rows": rows * 2, "columns": columns * 2, "apart": apart * 2]
        })
    for size in [16, 24, 12, 10] {
        cases.append(
            try ConformanceCase("GEGLU \(size)", magnitude: 5) {
                ["y": geglu($0.input("x", [2, 3, 2 * size]))]
            })
        cases.append(
            try ConformanceCase("rows of \(size)", weights: ["table": ([9, size], .float16)], rows: 9) {
                let table = $0.weights.tensor("table", [9, size])
                return ["y": gather(table, at: $0.input("i", [2, 3], .int32))]
            })
        cases.append(
            try ConformanceCase("enlarged \(size)") {
                // A sum reads it, so that it is made.
                ["y": upsampleNearest($0.input("x", [1, size, 2, 3]) * 3, factor: 2) + 1]
            })
    }
    return cases
}

/// Rows that some invocations hold together, from a few vectors to the longest, and those that are too long or odd.
func rowCases() throws -> [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for (rows, size) in [
        (17, 8), (1, 40), (17, 320), (3, 1280), (2, 2048), (1, 5000), (1, 8192), (1, 8200), (3, 12), (4, 77),
    ] {
        let shape: Shape = [1, rows, size]
        cases.append(
            try ConformanceCase("layer norm \(shape)", weights: normWeights(size)) {
                ["y": layerNorm($0.input("x", shape) + 3, $0.weights["n"], epsilon: 1e-5)]
            })
        cases.append(
            try ConformanceCase("softmax \(shape)", magnitude: 12) { ["y": softmax($0.input("x", shape))] })
    }
    for (size, start) in [(32, 1), (12, 1), (4, 1)] {
        cases.append(
            try ConformanceCase("rows of \(size) from row \(start)", weights: normWeights(size)) {
                let x = slice($0.input("x", [1, 6, size]), axis: 1, start..<start + 3)
                return ["normal": layerNorm(x, $0.weights["n"], epsilon: 1e-5), "soft": softmax(x)]
            })
    }
    cases.append(
        try ConformanceCase("softmax, masked rows") { builder in
            let mask = HostTensor((0..<64).map { $0 < 20 ? 0 : -Float.infinity }, shape: [64])
            return ["y": softmax(builder.input("x", [3, 64]) + builder.constant(mask))]
        })
    return cases
}

/// Groups within a vector and over several, in pictures that one workgroup holds and in larger ones.
func groupCases() throws -> [ConformanceCase] {
    let sizes: [(Shape, Int)] = [
        ([1, 40, 25, 25], 4), ([1, 24, 33, 34], 3), ([1, 512, 7, 7], 1), ([1, 120, 15, 14], 4),
        ([1, 320, 3, 2], 32), ([8, 16, 5, 7], 2), ([2, 64, 1, 1], 8),
        ([2, 12, 9, 9], 3), ([1, 264, 3, 3], 1), ([1, 1032, 2, 2], 1),
    ]
    var cases = try sizes.map { shape, groups in
        try ConformanceCase("group norm \(shape) \(groups)", weights: normWeights(shape[1])) {
            let x = $0.input("x", shape) * 4 - 1
            let y = groupNorm(x, groups: groups, epsilon: 1e-5, $0.weights["n"])
            return ["y": groups % 2 == 0 ? silu(y) : y]
        }
    }
    for axis in [0, 1] {
        cases.append(
            try ConformanceCase("group norm of what is cut on axis \(axis)", weights: normWeights(16)) {
                let whole = $0.input("x", axis == 0 ? [4, 16, 5, 3] : [2, 40, 5, 3])
                let x = slice(whole, axis: axis, axis == 0 ? 1..<3 : 8..<24)
                return ["y": groupNorm(x, groups: 4, epsilon: 1e-5, $0.weights["n"])]
            })
    }
    return cases
}

private func normWeights(_ size: Int) -> KeyValuePairs<String, (Shape, ElementType)> {
    ["n.weight": ([size], .float32), "n.bias": ([size], .float16)]
}
