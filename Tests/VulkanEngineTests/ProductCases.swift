import EngineConformance
import TensorGraph

/// Products larger than one tile, and none of whose sides is a multiple of one.
func productCases() throws -> [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for (rows, inner, columns) in [(130, 20, 150), (200, 33, 129), (128, 16, 256)] {
        cases.append(
            try ConformanceCase(
                "linear \(rows) \(inner) \(columns)",
                weights: ["w": ([columns, inner], .float16), "b": ([columns], .float32)]
            ) { builder in
                let x = builder.input("x", [1, rows, inner])
                let y = matrixMultiply(
                    x, builder.weights.tensor("w", [columns, inner]), transposesRight: true)
                return ["y": y + builder.weights.tensor("b", [columns])]
            })
    }
    for (batch, channels, outputs, height, width) in [
        (2, 8, 130, 9, 11), (1, 5, 140, 13, 12), (8, 4, 128, 4, 5),
    ] {
        let kernel: Shape = [outputs, channels, 3, 3]
        cases.append(
            try ConformanceCase(
                "convolution \(batch) \(channels) \(outputs) \(height) \(width)",
                weights: ["k": (kernel, .float16)]
            ) { builder in
                let x = builder.input("x", [batch, channels, height, width])
                return [
                    "y": convolution(
                        x, kernel: builder.weights.tensor("k", kernel), Convolution(padding: .init(1)))
                ]
            })
    }
    return cases
}

/// What is added to products: biases, numbers a picture and channel, other values, and functions of the sum.
func fusionCases() throws -> [ConformanceCase] {
    let kernel: Shape = [6, 4, 3, 3]
    let picture: KeyValuePairs<String, (Shape, ElementType)> = ["k": (kernel, .float16)]
    let biasedPicture: KeyValuePairs<String, (Shape, ElementType)> = [
        "k": (kernel, .float16), "b": ([6], .float32),
    ]
    let rows: KeyValuePairs<String, (Shape, ElementType)> = ["w": ([6, 4], .float16)]
    let biasedRows: KeyValuePairs<String, (Shape, ElementType)> = [
        "w": ([6, 4], .float16), "b": ([6], .float32),
    ]
    func convolved(_ builder: GraphBuilder, _ name: String = "x") -> Tensor {
        convolution(
            builder.input(name, [2, 4, 5, 3]), kernel: builder.weights.tensor("k", kernel),
            Convolution(padding: .init(1)))
    }
    func channels(_ builder: GraphBuilder) -> Tensor {
        reshape(builder.weights.tensor("b", [6]), [1, 6, 1, 1])
    }
    func pictures(_ builder: GraphBuilder) -> Tensor { builder.input("t", [2, 6, 1, 1]) }
    func other(_ builder: GraphBuilder) -> Tensor { builder.input("r", [2, 6, 5, 3]) }
    func linear(_ builder: GraphBuilder, _ name: String = "x") -> Tensor {
        matrixMultiply(
            builder.input(name, [2, 5, 4]), builder.weights.tensor("w", [6, 4]), transposesRight: true)
    }
    let described:
        [(
            String, KeyValuePairs<String, (Shape, ElementType)>,
            (GraphBuilder) -> KeyValuePairs<String, Tensor>
        )] = [
            (
                "bias, pictures' bias, residual, SiLU", biasedPicture,
                {
                    ["y": silu(convolved($0) + channels($0) + pictures($0) + other($0))]
                }
            ),
            (
                "bias, one bias more for all pictures, residual", biasedPicture,
                {
                    let time = $0.input("t", [1, 6, 1, 1])
                    return ["y": silu(convolved($0) + channels($0) + time + other($0))]
                }
            ),
            (
                "two biases of channels alone", biasedPicture,
                { ["y": convolved($0) + channels($0) + $0.input("t", [6, 1, 1])] }
            ),
            (
                "two biases of a matrix's columns", biasedRows,
                {
                    let product = matrixMultiply(
                        $0.input("x", [2, 4]), $0.weights.tensor("w", [6, 4]), transposesRight: true)
                    return ["y": product + $0.weights.tensor("b", [6]) + $0.input("t", [1, 6])]
                }
            ),
            ("residual in front", biasedPicture, { ["y": other($0) + (channels($0) + convolved($0))] }),
            ("two residuals", picture, { ["y": convolved($0) + other($0) + $0.input("s", [2, 6, 5, 3])] }),
            (
                "two products", biasedPicture,
                { ["y": convolved($0) + channels($0) + (convolved($0, "z") + channels($0))] }
            ),
            (
                "a sum that is read twice", biasedPicture,
                {
                    let sum = convolved($0) + channels($0)
                    return ["y": silu(sum) * sum]
                }
            ),
            (
                "a sum that is a result too", biasedPicture,
                {
                    let sum = convolved($0) + channels($0)
                    return ["y": silu(sum), "sum": sum]
                }
            ),
            ("a function, then a residual", picture, { ["y": gelu(convolved($0)) + other($0)] }),
            (
                "itself twice", picture,
                {
                    let x = convolved($0)
                    return ["y": x + x]
                }
            ),
            ("one number", picture, { ["y": convolved($0) + 2] }),
            ("a larger sum", rows, { ["y": linear($0) + $0.input("r", [3, 2, 5, 6])] }),
            ("rows' bias", rows, { ["y": linear($0) + $0.input("r", [5, 1])] }),
            (
                "bias, residual, GELU", biasedRows,
                {
                    ["y": quickGELU(linear($0) + $0.weights.tensor("b", [6]) + $0.input("r", [2, 5, 6]))]
                }
            ),
            (
                "a residual with its axes exchanged", rows,
                {
                    ["y": linear($0) + transpose($0.input("r", [6, 5, 2]), [2, 1, 0])]
                }
            ),
            (
                "a residual that is cut", rows,
                { ["y": linear($0) + slice($0.input("r", [2, 9, 6]), axis: 1, 2..<7)] }
            ),
            (
                "rows that do not run on", biasedRows,
                {
                    let x = slice($0.input("x", [2, 9, 4]), axis: 1, 1..<6)
                    return [
                        "y": matrixMultiply(x, $0.weights.tensor("w", [6, 4]), transposesRight: true)
                            + $0.weights.tensor("b", [6])
                    ]
                }
            ),
            (
                "an enlarged picture", biasedPicture,
                {
                    let x = upsampleNearest($0.input("x", [2, 4, 3, 2]), factor: 2)
                    return [
                        "y": convolution(
                            x, kernel: $0.weights.tensor("k", kernel),
                            Convolution(stride: 2, padding: .init(1)))
                            + channels($0)
                    ]
                }
            ),
            (
                "norm and SiLU", biasedPicture,
                {
                    let x = convolved($0)
                    return [
                        "y": silu(
                            groupNorm(
                                x, groups: 3, epsilon: 1e-5, scale: $0.weights.tensor("b", [6]),
                                shift: $0.weights.tensor("b", [6])))
                    ]
                }
            ),
        ]
    return try described.map { name, weights, describe in
        try ConformanceCase(name, weights: weights, describe)
    }
}
