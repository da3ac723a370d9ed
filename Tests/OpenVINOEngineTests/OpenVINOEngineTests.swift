import Dispatch
import EngineConformance
import EngineInterface
import ReferenceEngine
import Synchronization
import TensorGraph
import Testing

@testable import OpenVINOEngine

/// OpenVINO held to the reference engine, and to what an engine promises beside the numbers.
struct OpenVINOEngineTests {
    let engine: OpenVINOEngine

    init() throws { engine = try OpenVINOEngine() }

    @Test func primitivesConform() async throws {
        let failures = await conformanceFailures(of: engine, cases: try primitiveCases())
        #expect(failures.isEmpty, "\(failures.map(\.description).joined(separator: "\n"))")
    }

    @Test func compositesConform() async throws {
        // Without VNNI, weights of integers have 7 bits.
        let cases = try compositeCases()
        let halved = cases.filter {
            engine.halvesIntegers && $0.name.contains("of integers") && !$0.name.contains("4 bits")
        }
        let names = Set(halved.map(\.name))
        var failures = await conformanceFailures(
            of: engine, cases: cases.filter { !names.contains($0.name) })
        failures += await conformanceFailures(of: engine, precision: .int8, cases: halved)
        #expect(failures.isEmpty, "\(failures.map(\.description).joined(separator: "\n"))")
    }

    /// As many as pictures that are made at once have, in the layers of few: on processors without AVX-512 the library adds
    /// up few rows in another order than many.
    @Test(arguments: [640, 1280]) func fewRowsAreAddedUpAsMany(size: Int) async throws {
        let rows = [2, 15, 32, 77, 128, 300]
        let values = (0..<300 * size).map { Float($0 * 7919 % 1000) / 500 - 1 }
        var results: [[Float]] = []
        for threads in [1, 2] {
            let engine = try OpenVINOEngine(threads: threads)
            for count in rows {
                let one = try ConformanceCase("rows", weights: ["w": ([320, size], .float16)]) { builder in
                    let x = builder.input("x", [1, count, size])
                    return [
                        "y": matrixMultiply(
                            x, builder.weights.tensor("w", [320, size]), transposesRight: true)
                    ]
                }
                let compiled = try await engine.compile(
                    one.graph, weights: one.weights, precision: .float32)
                let x = HostTensor(Array(values.prefix(count * size)), shape: [1, count, size])
                results.append(try #require(try await compiled.run(["x": x])["y"]).floats)
            }
        }
        let longest = try #require(results.last)
        for result in results { #expect(result == Array(longest.prefix(result.count))) }
    }

    /// The forms that are otherwise chosen only for large pictures and many channels.
    @Test func otherFormsOfConvolutionsConform() async throws {
        let engine = try OpenVINOEngine(forms: .wherePossible)
        let lowered = try (primitiveCases() + compositeCases()).map { one in
            (one, try Lowering(one.graph, forms: .wherePossible).representation)
        }.filter { !$1.derivedKernels.isEmpty }
        let layers = Set(lowered.flatMap { $1.layers.map(\.type) })
        #expect(layers.isSuperset(of: ["Split", "DepthToSpace"]))
        let failures = await conformanceFailures(of: engine, cases: lowered.map(\.0))
        #expect(failures.isEmpty, "\(failures.map(\.description).joined(separator: "\n"))")
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func randomShapesConform(seed: UInt64) async throws {
        let failures = await conformanceFailures(of: engine, cases: try randomCases(count: 12, seed: seed))
        #expect(failures.isEmpty, "\(failures.map(\.description).joined(separator: "\n"))")
    }

    @Test(arguments: [Precision.bfloat16, .float16])
    func halfPrecisionConformsWhereTheProcessorHasIt(precision: Precision) async throws {
        guard let resolved = try? engine.resolve(precision) else {
            // A processor without it is told so, and what there is instead.
            let error = #expect(throws: EngineError.self) { try engine.resolve(precision) }
            #expect(error?.description.contains("f32") == true)
            return
        }
        let failures = await conformanceFailures(
            of: engine, precision: resolved, cases: try compositeCases())
        #expect(failures.isEmpty, "\(failures.map(\.description).joined(separator: "\n"))")
    }

    /// Easel's own operation, which is otherwise taken only for large pictures.
    @Test(arguments: [Precision.bfloat16, .int8])
    func attentionWithoutScoresInMemoryConforms(precision: Precision) async throws {
        let engine = try OpenVINOEngine(threads: 3, forms: nil, fewestFlashKeys: 1)
        guard let flash = engine.flashAttention(.bfloat16, integers: precision == .int8) else {
            #expect(throws: EngineError.self) { try engine.resolve(.bfloat16) }
            return
        }
        var cases = try compositeCases()
        // Scores of integers are off by some hundredths of the greatest: what that comes to grows with its power.
        for (batch, heads, queries, keys, size) in [
            (1, 1, 1, 1, 2), (2, 3, 33, 7, 40), (1, 2, 64, 113, 64), (1, 8, 130, 260, 160),
            (3, 1, 5, 1000, 12),
        ] {
            cases.append(
                try ConformanceCase(
                    "heads [\(batch), \(heads), \(queries), \(keys), \(size)]",
                    magnitude: precision == .int8 ? 1 : 4
                ) {
                    builder in
                    func split(_ name: String, _ tokens: Int) -> Tensor {
                        let flat = builder.input(name, [batch, tokens, heads * size])
                        return transpose(reshape(flat, [batch, tokens, heads, size]), [0, 2, 1, 3])
                    }
                    let attended = scaledDotProductAttention(
                        queries: split("q", queries), keys: split("k", keys), values: split("v", keys))
                    return ["y": reshape(transpose(attended, [0, 2, 1, 3]), [batch, queries, heads * size])]
                })
        }
        let own = try cases.filter {
            try Lowering($0.graph, flashAttention: flash).representation.layers.contains {
                $0.type == "Attention"
            }
        }
        #expect(own.count > 8)
        let failures = await conformanceFailures(of: engine, precision: precision, cases: own)
        #expect(failures.isEmpty, "\(failures.map(\.description).joined(separator: "\n"))")
    }

    /// Kernels of integers are summed for a picture that is enlarged, and the sums rounded again: to half of the 127th part
    /// of the greatest of a row. Scales differ from channel to channel.
    @Test(arguments: [(1, 1), (3, 4), (8, 5)]) func integersOfEnlargedPicturesAreSummed(
        height: Int, width: Int
    ) async throws {
        let one = try ConformanceCase(
            "integers of an enlarged picture of \(height)×\(width)",
            weights: ["k": ([8, 12, 3, 3], .int8), "k_scale": ([8, 1, 1, 1], .float32)]
        ) { builder in
            // Zero is one of the levels.
            let x = fakeQuantize(builder.input("x", [2, 12, height, width]), from: -0.5, to: 2.05)
            let kernel = builder.weights.tensor("k", [8, 12, 3, 3])
            let convolution = Convolution(padding: .init(1))
            let product = TensorGraph.convolution(
                upsampleNearest(x, factor: 2), kernel: kernel, convolution)
            return ["y": product * 0.001]
        }
        let forms = ConvolutionForms.wherePossible
        let layers = try Lowering(one.graph, forms: forms).representation.layers.map(\.type)
        #expect(layers.count { $0 == "Convolution" } == 4 && !layers.contains("Interpolate"))
        func run(_ engine: any Engine) async throws -> [Float] {
            let compiled = try await engine.compile(one.graph, weights: one.weights, precision: .float32)
            return try #require(try await compiled.run(one.inputs)["y"]).floats
        }
        let (own, wanted) = (try await run(OpenVINOEngine(forms: forms)), try await run(ReferenceEngine()))
        #expect(own.count == wanted.count)
        let squares = zip(own, wanted).map { ($0 - $1) * ($0 - $1) }.reduce(0, +)
        let error = (squares / wanted.map { $0 * $0 }.reduce(0, +)).squareRoot()
        #expect(error < (engine.halvesIntegers ? 0.03 : 0.01), "\(error) of the values' length")
    }

    @Test func automaticPrecisionIsOneThatTheProcessorHas() throws {
        let precision = try engine.resolve(.automatic)
        #expect(precision != .automatic)
        #expect(try engine.resolve(precision) == precision)
    }

    @Test func twoRunsGiveTheSameBytes() async throws {
        let one = try #require(try randomCases(count: 1, seed: 9).first)
        let compiled = try await engine.compile(one.graph, weights: one.weights, precision: .float32)
        let first = try await compiled.run(one.inputs)
        let second = try await compiled.run(one.inputs)
        #expect(first == second)
    }

    @Test func inputsThatDoNotFitAreNamed() async throws {
        let graph = try Graph.build("double") { ["y": $0.input("x", [2, 3]) * 2] }
        let compiled = try await engine.compile(graph, weights: InMemoryWeights(), precision: .float32)
        let wrong = HostTensor([1, 2] as [Float], shape: [2])
        let right = HostTensor([Float](repeating: 1, count: 6), shape: [2, 3])
        for inputs in [[:], ["x": wrong], ["x": right, "z": wrong]] {
            await #expect(throws: EngineError.self) { try await compiled.run(inputs) }
        }
        #expect(try await compiled.run(["x": right])["y"]?.floats == [Float](repeating: 2, count: 6))
    }

    @Test func cancellingEndsARunEarly() async throws {
        // Some seconds of work: products of large matrices, one after the other.
        let size = 1024
        let graph = try Graph.build("long") { builder in
            var x = builder.input("x", [size, size])
            for _ in 0..<400 { x = softmax(matrixMultiply(x, x)) }
            return ["y": x]
        }
        let cancelled = try await engine.compile(graph, weights: InMemoryWeights(), precision: .float32)
        let whole = try await engine.compile(graph, weights: InMemoryWeights(), precision: .float32)
        let input = HostTensor([Float](repeating: 0.01, count: size * size), shape: [size, size])
        // Both at once; on threads of their own, since other tests may keep the shared ones busy.
        let wholeEnd = End()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: OwnThread()) {
                _ = try await whole.run(["x": input])
                wholeEnd.isReached.withLock { $0 = true }
            }
            group.addTask(executorPreference: OwnThread()) {
                let task = Task(executorPreference: OwnThread()) { try await cancelled.run(["x": input]) }
                try await Task.sleep(for: .milliseconds(200))
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(
                    !wholeEnd.isReached.withLock { $0 }, "the run that was cancelled took as long as a whole")
            }
            try await group.waitForAll()
        }
    }

    @Test func aGraphWithAMissingWeightIsRefused() async throws {
        let full = InMemoryWeights().adding("w", [2], [1, 2])
        let graph = try Graph.build("sum", weights: full) { builder in
            ["y": builder.input("x", [2]) + builder.weights.tensor("w", [2])]
        }
        await #expect(throws: EngineError.self) {
            try await engine.compile(graph, weights: InMemoryWeights(), precision: .float32)
        }
    }
}

/// Whether something has ended.
private final class End: Sendable {
    let isReached = Mutex(false)
}

/// Runs tasks on a thread that nothing else waits for.
private final class OwnThread: TaskExecutor {
    private let queue = DispatchQueue(label: "a test's own")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
