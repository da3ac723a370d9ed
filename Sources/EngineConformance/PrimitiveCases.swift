import TensorGraph

/// Cases for every primitive operation.
public func primitiveCases() throws -> [ConformanceCase] {
    try elementwiseCases() + productCases() + layoutCases() + graphCases()
}

private func elementwiseCases() throws -> [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for unary in Unary.allCases {
        for shape: Shape in [[], [1], [7], [2, 3, 5], [1, 4, 3, 3], [2, 1, 3, 1, 2]] {
            cases.append(
                try ConformanceCase("\(unary.rawValue) \(shape)") { builder in
                    let x = builder.input("x", shape)
                    // The root is for numbers that are not negative.
                    return ["y": applied(unary, to: unary == .squareRoot ? x * x : x)]
                })
        }
        cases.append(
            try ConformanceCase("\(unary.rawValue) of large values", magnitude: 60) { builder in
                let x = builder.input("x", [33])
                return ["y": applied(unary, to: unary == .squareRoot ? x * x : x)]
            })
    }
    let pairs: [(Shape, Shape)] = [
        ([], []), ([3], []), ([], [3]), ([4], [4]), ([2, 3], [3]), ([3], [2, 3]), ([2, 1, 4], [3, 1]),
        ([1, 8, 1, 1], [2, 8, 3, 5]), ([2, 8, 3, 5], [1, 8, 1, 1]), ([1], [2, 2, 2, 2]), ([5, 1], [1, 5]),
        ([2, 1, 3, 1, 2], [4, 1, 5, 1]),
    ]
    for binary in Binary.allCases {
        for (left, right) in pairs {
            cases.append(
                try ConformanceCase("\(binary.rawValue) \(left) \(right)") { builder in
                    let (a, b) = (builder.input("a", left), builder.input("b", right))
                    // Divisors are kept away from zero, where rounding errors grow without bound.
                    return ["y": applied(binary, to: a, binary == .divide ? b * b + 0.5 : b)]
                })
        }
    }
    for (shape, axis): (Shape, Int) in [
        ([5], 0), ([3, 4], 0), ([3, 4], 1), ([2, 3, 7, 5], 2), ([2, 1], -1),
    ] {
        cases.append(
            try ConformanceCase("softmax \(shape) \(axis)", magnitude: 90) { builder in
                ["y": softmax(builder.input("x", shape), axis: axis)]
            })
    }
    cases.append(
        try ConformanceCase("softmax, masked") { builder in
            let mask = HostTensor([0, -.infinity, 0, -.infinity, 0, -.infinity] as [Float], shape: [2, 3])
            return ["y": softmax(builder.input("x", [4, 2, 3]) + builder.constant(mask))]
        })
    for (shape, axes): (Shape, [Int]) in [
        ([6], [0]), ([2, 3], [0]), ([2, 3], [-1]), ([2, 3, 4, 5], [1, 3]), ([2, 3, 4], [0, 1, 2]),
        ([3, 1], [1]),
    ] {
        cases.append(
            try ConformanceCase("reductions \(shape) \(axes)") { builder in
                let x = builder.input("x", shape)
                return [
                    "sum": sum(x, axes: axes), "mean": mean(x, axes: axes), "max": maximum(x, axes: axes),
                ]
            })
    }
    return cases
}

private func productCases() throws -> [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for (left, right): (Shape, Shape) in [
        ([1, 1], [1, 1]), ([3, 4], [4, 5]), ([2, 3, 4], [4, 5]), ([3, 4], [2, 4, 5]),
        ([2, 1, 3, 7], [5, 7, 2]),
        ([1, 64], [64, 33]),
    ] {
        for (first, second) in [(false, false), (true, false), (false, true), (true, true)] {
            cases.append(
                try ConformanceCase("product \(left) \(right) \(first) \(second)") { builder in
                    let a = builder.input("a", first ? left.exchanged : left)
                    let b = builder.input("b", second ? right.exchanged : right)
                    return ["y": matrixMultiply(a, b, transposesLeft: first, transposesRight: second)]
                })
        }
    }
    let convolutions: [(Shape, Shape, Convolution)] = [
        ([1, 1, 1, 1], [1, 1, 1, 1], Convolution()),
        ([2, 4, 5, 7], [8, 4, 3, 3], Convolution(padding: .init(1))),
        ([3, 4, 5, 7], [6, 4, 1, 1], Convolution()),
        ([1, 3, 9, 8], [5, 3, 3, 3], Convolution(stride: 2, padding: .init(1))),
        (
            [2, 4, 8, 8], [4, 4, 3, 3],
            Convolution(stride: 2, padding: .init(top: 0, left: 0, bottom: 1, right: 1))
        ),
        ([1, 6, 5, 5], [4, 3, 3, 3], Convolution(padding: .init(1), groups: 2)),
        ([2, 4, 6, 3], [4, 1, 3, 3], Convolution(padding: .init(1), groups: 4)),
        ([1, 2, 3, 3], [2, 2, 3, 3], Convolution()),
        ([1, 2, 2, 6], [3, 2, 5, 5], Convolution(padding: .init(top: 2, left: 1, bottom: 3, right: 2))),
        ([1, 16, 9, 11], [24, 16, 3, 3], Convolution(padding: .init(1))),
    ]
    for (index, (input, kernel, convolution)) in convolutions.enumerated() {
        for type in [ElementType.float32, .float16] {
            cases.append(
                try ConformanceCase("convolution \(index) \(type)", weights: ["kernel": (kernel, type)]) {
                    builder in
                    let x = builder.input("x", input)
                    let kernel = builder.weights.tensor("kernel", kernel)
                    return ["y": TensorGraph.convolution(x, kernel: kernel, convolution)]
                })
        }
    }
    for (shape, factor): (Shape, Int) in [
        ([1, 1, 1, 1], 2), ([2, 3, 3, 5], 2), ([1, 2, 2, 3], 3), ([1, 2, 4, 4], 1),
    ] {
        cases.append(
            try ConformanceCase("upsample \(shape) \(factor)") { builder in
                ["y": upsampleNearest(builder.input("x", shape), factor: factor)]
            })
    }
    return cases
}

private func layoutCases() throws -> [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for shape: Shape in [[1], [5], [2, 3]] {
        cases.append(
            try ConformanceCase("gather \(shape)", weights: ["table": ([9, 4], .float32)], rows: 9) {
                builder in
                let table = builder.weights.tensor("table", [9, 4])
                return ["y": gather(table, at: builder.input("i", shape, .int32))]
            })
    }
    for (shape, count): (Shape, Int) in [
        ([1], 1), ([7], 1), ([7], 7), ([3, 40], 1), ([2, 3, 9], 4), ([2, 300], 300),
    ] {
        cases.append(
            try ConformanceCase("top \(count) of \(shape)") { builder in
                ["y": topIndices(builder.input("x", shape), count: count)]
            })
    }
    for kind in Scatter.allCases {
        for (rows, width, indices): (Int, Int, [Int32]) in [
            (1, 1, [0]), (5, 3, [4, 0, 2]), (9, 16, [8, 1, 7, 2, 6, 3, 5, 4, 0]),
            (4, 5, kind == .add ? [3, 1, 3, 3, 1] : [2, 0]),
        ] {
            cases.append(
                try ConformanceCase("scatter \(kind.rawValue) \(indices) of \(rows)") { builder in
                    let places = builder.constant(HostTensor(indices, shape: [indices.count]))
                    return [
                        "y": scatter(
                            builder.input("x", [indices.count, width]), to: places,
                            of: builder.input("table", [rows, width]), kind)
                    ]
                })
        }
    }
    cases.append(
        try ConformanceCase("rows that go where they are greatest") { builder in
            let x = builder.input("x", [6, 4])
            let places = reshape(topIndices(x, count: 1), [6])
            let table = builder.input("table", [4, 4])
            return ["y": scatter(x, to: places, of: table, .add), "rows": gather(table, at: places)]
        })
    for (from, to): (Shape, Shape) in [
        ([6], [2, 3]), ([2, 3, 4], [24]), ([1], []), ([2, 3, 4], [4, 1, 6]),
    ] {
        cases.append(
            try ConformanceCase("reshape \(from) \(to)", rows: 100) { builder in
                [
                    "y": reshape(builder.input("x", from), to),
                    "integers": reshape(builder.input("i", from, .int32), to),
                ]
            })
    }
    for (shape, permutation): (Shape, [Int]) in [
        ([2, 3], [1, 0]), ([2, 3, 4], [2, 0, 1]), ([2, 3, 4, 5], [0, 2, 3, 1]),
        ([2, 3, 4, 5], [0, 3, 1, 2]),
        ([2, 1, 3, 2, 2], [4, 3, 2, 1, 0]), ([2, 3, 4, 5], [0, 2, 1, 3]),
    ] {
        cases.append(
            try ConformanceCase("transpose \(shape) \(permutation)") { builder in
                ["y": transpose(builder.input("x", shape), permutation)]
            })
    }
    for (shapes, axis): ([Shape], Int) in [
        ([[3]], 0), ([[3], [4]], 0), ([[2, 3], [2, 1], [2, 4]], 1), ([[1, 2, 3, 3], [1, 5, 3, 3]], 1),
        ([[2, 3], [4, 3]], -2),
    ] {
        cases.append(
            try ConformanceCase("concatenate \(shapes) \(axis)") { builder in
                let parts = shapes.enumerated().map { builder.input("x\($0.offset)", $0.element) }
                return ["y": concatenate(parts, axis: axis)]
            })
    }
    for (shape, axis, range): (Shape, Int, Range<Int>) in [
        ([7], 0, 2..<5), ([2, 6], 1, 0..<3), ([2, 6], 1, 3..<6), ([2, 3, 4, 5], 2, 1..<2),
        ([4, 3], 0, 0..<4),
    ] {
        cases.append(
            try ConformanceCase("slice \(shape) \(axis) \(range)") { builder in
                ["y": slice(builder.input("x", shape), axis: axis, range)]
            })
    }
    return cases
}

/// What concerns graphs more than single operations.
private func graphCases() throws -> [ConformanceCase] {
    var cases: [ConformanceCase] = []
    for type in [ElementType.float64, .float32, .float16, .bfloat16] {
        cases.append(
            try ConformanceCase("weights stored as \(type)", weights: ["w": ([3, 5], type)]) { builder in
                let w = builder.weights.tensor("w", [3, 5])
                return [
                    "y": matrixMultiply(builder.input("x", [2, 5]), w, transposesRight: true), "w": w + 0,
                ]
            })
    }
    cases.append(
        try ConformanceCase("constants") { builder in
            let constant = builder.constant(HostTensor([1, -2, 3] as [Float], shape: [3]))
            return ["y": builder.input("x", [2, 3]) * constant, "constant": constant + 1]
        })
    cases.append(
        try ConformanceCase("a value used twice, and two outputs") { builder in
            let x = builder.input("x", [4])
            let y = x + x
            return ["y": y * y, "between": y]
        })
    cases.append(
        try ConformanceCase("an input that is an output") { builder in
            let x = builder.input("x", [2, 2])
            return ["x": x, "y": x * 2]
        })
    return cases
}

private func applied(_ unary: Unary, to x: Tensor) -> Tensor {
    switch unary {
    case .exponential: exponential(x)
    case .squareRoot: squareRoot(x)
    case .sine: sine(x)
    case .cosine: cosine(x)
    case .sigmoid: sigmoid(x)
    case .hyperbolicTangent: hyperbolicTangent(x)
    case .errorFunction: errorFunction(x)
    case .round: round(x)
    }
}

private func applied(_ binary: Binary, to a: Tensor, _ b: Tensor) -> Tensor {
    switch binary {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .maximum: maximum(a, b)
    case .minimum: minimum(a, b)
    }
}

extension Shape {
    /// The shape with its two innermost axes exchanged.
    fileprivate var exchanged: Shape {
        var shape = self
        (shape[-1], shape[-2]) = (self[-2], self[-1])
        return shape
    }
}
