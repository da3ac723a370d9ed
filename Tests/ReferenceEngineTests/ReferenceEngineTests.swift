import Checkpoints
import EngineConformance
import EngineInterface
import ReferenceEngine
import TensorGraph
import Testing

/// Known answers, worked out by hand or by PyTorch.
struct ReferenceEngineTests {
    private func value(
        _ inputs: [String: HostTensor] = [:], _ describe: (GraphBuilder) -> Tensor
    ) async throws -> [Float] {
        let graph = try Graph.build("test") { ["y": describe($0)] }
        let compiled = try await ReferenceEngine().compile(
            graph, weights: InMemoryWeights(), precision: .float32)
        return try #require(try await compiled.run(inputs)["y"]).floats
    }

    private func constant(_ values: [Float], _ shape: Shape) -> HostTensor {
        HostTensor(values, shape: shape)
    }

    private func isNear(_ actual: [Float], _ expected: [Float]) -> Bool {
        actual.count == expected.count && zip(actual, expected).allSatisfy { ($0 - $1).magnitude <= 1e-6 }
    }

    @Test func unaries() async throws {
        let x = constant([0, 1, -1, 0.5], [4])
        #expect(
            isNear(try await value { exponential($0.constant(x)) }, [1, 2.7182817, 0.36787945, 1.6487212]))
        #expect(
            isNear(try await value { sigmoid($0.constant(x)) }, [0.5, 0.7310586, 0.26894143, 0.62245935]))
        #expect(
            isNear(try await value { errorFunction($0.constant(x)) }, [0, 0.8427008, -0.8427008, 0.5204999]))
        #expect(
            isNear(
                try await value { hyperbolicTangent($0.constant(x)) }, [0, 0.7615942, -0.7615942, 0.46211717])
        )
        #expect(isNear(try await value { sine($0.constant(x)) }, [0, 0.84147096, -0.84147096, 0.47942555]))
        #expect(isNear(try await value { cosine($0.constant(x)) }, [1, 0.5403023, 0.5403023, 0.87758255]))
        #expect(try await value { squareRoot($0.constant(constant([4, 2.25], [2]))) } == [2, 1.5])
    }

    @Test func broadcasting() async throws {
        let column = constant([10, 20], [2, 1])
        let row = constant([1, 2, 3], [3])
        #expect(try await value { $0.constant(column) - $0.constant(row) } == [9, 8, 7, 19, 18, 17])
        #expect(try await value { $0.constant(column) / $0.constant(row) * 3 } == [30, 15, 10, 60, 30, 20])
        #expect(try await value { maximum($0.constant(row), $0.constant(2)) } == [2, 2, 3])
        #expect(try await value { minimum($0.constant(row), $0.constant(2)) } == [1, 2, 2])
    }

    @Test func softmaxOfLargeAndMaskedValues() async throws {
        let x = constant([1000, 1000, -.infinity, 0, 0, 0], [2, 3])
        let third = Float(1) / 3
        #expect(isNear(try await value { softmax($0.constant(x)) }, [0.5, 0.5, 0, third, third, third]))
        #expect(try await value { softmax($0.constant(constant([3, 3], [2, 1])), axis: 0) } == [0.5, 0.5])
    }

    @Test func reductions() async throws {
        let x = constant([1, 2, 3, 4, 5, 6], [2, 3])
        #expect(try await value { sum($0.constant(x), axes: [0]) } == [5, 7, 9])
        #expect(try await value { mean($0.constant(x), axes: [1]) } == [2, 5])
        #expect(try await value { maximum($0.constant(x), axes: [0, 1]) } == [6])
    }

    @Test func products() async throws {
        let a = constant([1, 2, 3, 4, 5, 6], [2, 3])
        let b = constant([1, 0, 2, 1, 0, 3], [3, 2])
        #expect(try await value { matrixMultiply($0.constant(a), $0.constant(b)) } == [5, 11, 14, 23])
        #expect(
            try await value { matrixMultiply($0.constant(a), $0.constant(a), transposesRight: true) }
                == [14, 32, 32, 77])
        #expect(
            try await value { matrixMultiply($0.constant(a), $0.constant(a), transposesLeft: true) }
                == [17, 22, 27, 22, 29, 36, 27, 36, 45])
    }

    @Test func convolutions() async throws {
        let x = constant((1...9).map(Float.init), [1, 1, 3, 3])
        let cross = constant([0, 1, 0, 1, 1, 1, 0, 1, 0], [1, 1, 3, 3])
        #expect(
            try await value {
                convolution($0.constant(x), kernel: $0.constant(cross), Convolution(padding: .init(1)))
            } == [7, 11, 11, 17, 25, 23, 19, 29, 23])
        let ones = constant([1, 1, 1, 1], [1, 1, 2, 2])
        #expect(
            try await value {
                convolution(
                    $0.constant(x), kernel: $0.constant(ones),
                    Convolution(stride: 2, padding: .init(top: 0, left: 0, bottom: 1, right: 1)))
            } == [12, 9, 15, 9])
        let two = constant([1, 2], [1, 2, 1, 1])
        let scales = constant([3, 5], [2, 1, 1, 1])
        #expect(
            try await value {
                convolution($0.constant(two), kernel: $0.constant(scales), Convolution(groups: 2))
            } == [3, 10])
    }

    @Test func rearrangements() async throws {
        let x = constant([1, 2, 3, 4], [1, 1, 2, 2])
        #expect(
            try await value { upsampleNearest($0.constant(x), factor: 2) }
                == [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4])
        let y = constant([1, 2, 3, 4, 5, 6], [2, 3])
        #expect(try await value { transpose($0.constant(y), [1, 0]) } == [1, 4, 2, 5, 3, 6])
        #expect(try await value { slice($0.constant(y), axis: 1, 1..<3) } == [2, 3, 5, 6])
        #expect(
            try await value {
                concatenate([$0.constant(y), $0.constant(constant([9, 8], [2, 1]))], axis: 1)
            }
                == [1, 2, 3, 9, 4, 5, 6, 8])
    }

    @Test func gathering() async throws {
        func rows(_ indices: [Int32]) async throws -> [Float] {
            try await value(["i": HostTensor(indices, shape: [indices.count])]) { builder in
                let table = builder.constant(constant([0, 1, 10, 11, 20, 21], [3, 2]))
                return gather(table, at: builder.input("i", [indices.count], .int32))
            }
        }
        #expect(try await rows([2, 0]) == [20, 21, 0, 1])
        for row in [3, -1] as [Int32] {
            await #expect(throws: EngineError.self) { try await rows([row]) }
        }
    }

    @Test func composites() async throws {
        // PyTorch 2.13: gelu, silu and x * sigmoid(1.702 x) of -1, 0, 2.
        let x = constant([-1, 0, 2], [3])
        #expect(isNear(try await value { gelu($0.constant(x)) }, [-0.15865526, 0, 1.9544997]))
        #expect(isNear(try await value { silu($0.constant(x)) }, [-0.26894143, 0, 1.7615942]))
        #expect(isNear(try await value { quickGELU($0.constant(x)) }, [-0.15420423, 0, 1.9356586]))
        let ones = constant([1, 1], [2])
        let zeros = constant([0, 0], [2])
        #expect(
            isNear(
                try await value {
                    layerNorm(
                        $0.constant(constant([1, 3], [1, 2])), scale: $0.constant(ones),
                        shift: $0.constant(zeros), epsilon: 0)
                }, [-1, 1]))
    }

    @Test func everyOperationHasACase() throws {
        let cases = try primitiveCases() + compositeCases()
        #expect(uncoveredOperations(in: cases).isEmpty)
        #expect(Set(cases.map(\.name)).count == cases.count, "two cases have one name")
    }

    @Test func aComparisonFindsADifference() async throws {
        struct Wrong: Engine {
            let name = "wrong"
            func resolve(_ requested: Precision) throws -> Precision { .float32 }
            func compile(
                _ graph: Graph, weights: any WeightStorage, precision: Precision
            ) async throws -> any CompiledGraph {
                // Adds a little to every result.
                try await Shifted(
                    ReferenceEngine().compile(graph, weights: weights, precision: .float32))
            }
        }
        struct Shifted: CompiledGraph {
            let right: any CompiledGraph
            init(_ right: any CompiledGraph) { self.right = right }
            func run(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
                try await right.run(inputs).mapValues {
                    HostTensor($0.floats.map { $0 + 0.01 }, shape: $0.shape)
                }
            }
        }
        let cases = try compositeCases()
        let failures = await conformanceFailures(of: Wrong(), cases: cases)
        #expect(failures.count == 2 * cases.count)
        #expect(await conformanceFailures(of: ReferenceEngine(), cases: cases).isEmpty)
    }

    @Test func otherPrecisionsAreRefused() {
        #expect(throws: EngineError.self) { try ReferenceEngine().resolve(.bfloat16) }
    }

    @Test func aCancelledTaskComputesNothing() async throws {
        let graph = try Graph.build("test") { ["y": $0.input("x", [1]) * 2] }
        let compiled = try await ReferenceEngine().compile(
            graph, weights: InMemoryWeights(), precision: .float32)
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await compiled.run(["x": HostTensor([1] as [Float], shape: [1])])
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
