import Testing

@testable import TensorGraph

/// What each operation makes of its inputs' shapes, and what it refuses.
struct InferenceTests {
    static let accepted: [(Primitive, [Shape], Shape)] = [
        (.unary(.sine), [[2, 3]], [2, 3]), (.binary(.add), [[2, 1], [3]], [2, 3]),
        (.binary(.add), [[], []], []),
        (.softmax(axis: 1), [[2, 3]], [2, 3]),
        (.reduce(Reduction(.mean, axes: [0, 2])), [[2, 3, 4]], [1, 3, 1]),
        (.matrixMultiply(MatrixMultiply()), [[5, 1, 2, 3], [4, 3, 7]], [5, 4, 2, 7]),
        (
            .matrixMultiply(MatrixMultiply(transposesLeft: true, transposesRight: true)), [[3, 2], [7, 3]],
            [2, 7]
        ),
        (
            .convolution(Convolution(stride: 2, padding: .init(1))), [[1, 4, 9, 8], [6, 4, 3, 3]],
            [1, 6, 5, 4]
        ),
        (.convolution(Convolution(groups: 2)), [[1, 4, 3, 3], [6, 2, 3, 3]], [1, 6, 1, 1]),
        (.upsampleNearest(factor: 2), [[1, 2, 3, 4]], [1, 2, 6, 8]), (.reshape([6]), [[2, 3]], [6]),
        (.transpose([2, 0, 1]), [[2, 3, 4]], [4, 2, 3]),
        (.concatenate(axis: 1), [[2, 3], [2, 4]], [2, 7]),
        (.slice(Slice(axis: 0, start: 1, end: 3)), [[5, 2]], [2, 2]),
    ]

    static let refused: [(Primitive, [Shape])] = [
        (.unary(.sine), []), (.binary(.add), [[2], [3]]), (.binary(.add), [[2]]),
        (.softmax(axis: 2), [[2, 3]]),
        (.softmax(axis: -1), [[2, 3]]), (.reduce(Reduction(.mean, axes: [1])), [[2]]),
        (.reduce(Reduction(.maximum, axes: [0])), [[0, 2]]),
        (.matrixMultiply(MatrixMultiply()), [[2, 3], [4, 5]]),
        (.matrixMultiply(MatrixMultiply()), [[3], [3, 2]]),
        (.matrixMultiply(MatrixMultiply()), [[2, 1, 3], [3, 3, 1]]),
        (.convolution(Convolution()), [[1, 4, 3, 3], [6, 3, 3, 3]]),
        (.convolution(Convolution()), [[1, 4, 2, 2], [6, 4, 3, 3]]),
        (.convolution(Convolution(groups: 3)), [[1, 4, 3, 3], [6, 2, 3, 3]]),
        (.upsampleNearest(factor: 0), [[1, 2, 3, 4]]), (.upsampleNearest(factor: 2), [[2, 3]]),
        (.reshape([5]), [[2, 3]]), (.reshape([-1, -6]), [[2, 3]]), (.transpose([0, 0]), [[2, 3]]),
        (.transpose([0]), [[2, 3]]), (.concatenate(axis: 0), [[2, 3], [2, 4]]), (.concatenate(axis: 0), []),
        (.slice(Slice(axis: 0, start: 2, end: 1)), [[5]]), (.slice(Slice(axis: 0, start: 0, end: 6)), [[5]]),
        (.slice(Slice(axis: 1, start: 0, end: 1)), [[5]]), (.input("x"), []),
    ]

    @Test func acceptsWhatFits() throws {
        for (primitive, inputs, expected) in Self.accepted {
            #expect(
                try primitive.infer(inputs.map { TensorType($0) }) == TensorType(expected), "\(primitive)")
        }
    }

    @Test func levelsAreOneNumberEach() throws {
        #expect(
            try FakeQuantize().infer(([[2, 3], [1], [1]] as [Shape]).map { TensorType($0) })
                == TensorType([2, 3]))
        for wrong: [Shape] in [[[2], [1]], [[2], [2], [1]], [[2], [1], []]] {
            #expect(throws: ShapeError.self) { try FakeQuantize().infer(wrong.map { TensorType($0) }) }
        }
    }

    @Test func refusesWhatDoesNot() {
        for (primitive, inputs) in Self.refused {
            #expect(throws: ShapeError.self, "\(primitive)") {
                try primitive.infer(inputs.map { TensorType($0) })
            }
        }
    }

    @Test func gatherTakesIntegerIndices() throws {
        let table = TensorType([10, 4])
        #expect(try Primitive.gather.infer([table, TensorType([2, 3], .int32)]) == TensorType([2, 3, 4]))
        #expect(throws: ShapeError.self) { try Primitive.gather.infer([table, TensorType([2])]) }
        #expect(throws: ShapeError.self) {
            try Primitive.gather.infer([TensorType([4]), TensorType([2], .int32)])
        }
    }

    @Test func arithmeticIsOnFloats() {
        let integers = TensorType([2], .int32)
        #expect(throws: ShapeError.self) { try Primitive.binary(.add).infer([integers, integers]) }
        #expect(throws: ShapeError.self) { try SiLU().infer([integers]) }
    }

    @Test func compositesRefuseWhatTheyCannotTake() {
        func types(_ shapes: Shape...) -> [TensorType] { shapes.map { TensorType($0) } }
        let attention = ScaledDotProductAttention(scale: 1)
        #expect(throws: ShapeError.self) { try GEGLU().infer(types([3])) }
        #expect(throws: ShapeError.self) { try LayerNorm(epsilon: 0).infer(types([2, 3], [2], [3])) }
        #expect(throws: ShapeError.self) {
            try GroupNorm(groups: 3, epsilon: 0).infer(types([1, 4, 1, 1], [4], [4]))
        }
        #expect(throws: ShapeError.self) {
            try attention.infer(types([1, 1, 2, 3], [1, 1, 4, 5], [1, 1, 4, 3]))
        }
        #expect(throws: ShapeError.self) {
            try attention.infer(types([1, 1, 2, 3], [1, 1, 4, 3], [1, 1, 4, 3], [2, 1, 2, 4]))
        }
    }

    @Test func countsAreChecked() {
        #expect(Shape([2, Int.max]).checkedCount == nil)
        #expect(Shape([-1]).checkedCount == nil)
        #expect(Shape([Int.max, 2, 0]).checkedCount == 0)
        #expect(Shape([2, 3]).checkedCount == 6)
        #expect(Shape([2, 3, 4]).strides == [12, 4, 1])
    }
}
