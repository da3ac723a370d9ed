import EngineConformance
import EngineInterface
import TensorGraph
import Testing

@testable import VulkanEngine

/// Weights that come to the device while it computes.
@Suite(.serialized) struct WeightStreamTests {
    let engine: VulkanEngine
    let objections: VulkanInstance.Objections

    init() throws {
        engine = try VulkanEngineTests.engine.get()
        objections = try #require(VulkanEngineTests.instance.get().objections)
    }

    /// From a section for every dispatch that reads weights to one for all.
    @Test(arguments: [1, 4096, 1 << 20], [Precision.float32, .float16])
    func streamedWeightsConform(byteCount: Int, precision: Precision) async throws {
        var engine = engine
        engine.tuning.streamedByteCount = byteCount
        let failures = await conformanceFailures(
            of: engine, precision: precision, cases: try compositeCases() + productCases())
        #expect(failures.isEmpty, "\(failures.map(\.description).joined(separator: "\n"))")
        #expect(objections.all == [])
    }

    /// Runs one after the other take turns with the same two slots.
    @Test func runsGiveTheSameAgain() async throws {
        let cases = try compositeCases().filter { $0.name.contains("block") }
        #expect(!cases.isEmpty)
        for one in cases {
            let whole = try await engine.compile(one.graph, weights: one.weights, precision: .float32)
            var streaming = engine
            streaming.tuning.streamedByteCount = 1
            let streamed = try await streaming.compile(one.graph, weights: one.weights, precision: .float32)
            let expected = try await whole.run(one.inputs)
            for _ in 0..<3 { #expect(try await streamed.run(one.inputs) == expected) }
        }
        #expect(objections.all == [])
    }

    /// An engine without memory of its own has nothing to bring weights from.
    @Test func softwareHasOneMemory() async throws {
        let one = try #require(try compositeCases().first)
        #expect(
            try await engine.compileStreaming(
                one.graph, weights: one.weights, precision: .float32, weightCount: 1000) == nil)
    }

    /// All keys and values of a context are products of one value, of which weights that stay are one.
    @Test(arguments: [Precision.float32, .float16])
    func productsOfOneValueAreNoMoreThanASlot(precision: Precision) async throws {
        let names = (0..<5).map { "w\($0)" }
        let one = try ConformanceCase(
            "context",
            weights: [
                "w0": ([64, 64], .float32), "w1": ([64, 64], .float32), "w2": ([64, 64], .float32),
                "w3": ([64, 64], .float32), "w4": ([64, 64], .float32),
            ]
        ) { builder in
            let x = builder.input("x", [1, 7, 64])
            let parts = names.map {
                matrixMultiply(x, builder.weights.tensor($0, [64, 64]), transposesRight: true)
            }
            return ["y": concatenate(parts, axis: 1)]
        }
        let isHalf = precision == .float16
        func counts(_ streamedByteCount: Int?) throws -> [Int] {
            var tuning = engine.tuning
            tuning.streamedByteCount = streamedByteCount
            return try Lowering(one.graph, isHalf: isHalf, tuning: tuning).weights.map {
                if case .rows(let parts, _) = $0.source { parts.count } else { 1 }
            }
        }
        let matrix = 64 * 64 * (isHalf ? 2 : 4)
        #expect(try counts(nil) == [5])
        #expect(try counts(2 * 5 * matrix) == [5])
        #expect(try counts(2 * 2 * matrix) == [2, 2, 1])
        #expect(try counts(1) == [1, 1, 1, 1, 1])
        var streaming = engine
        streaming.tuning.streamedByteCount = 2 * 2 * matrix
        let failures = await conformanceFailures(of: streaming, precision: precision, cases: [one])
        #expect(failures.isEmpty, "\(failures.map(\.description).joined(separator: "\n"))")
        #expect(objections.all == [])
    }

    @Test func sectionsEndWhereASlotIsFull() {
        let calls = [[], [0], [1], [0, 2], [], [3], [3, 4], []].map { call($0) }
        let sections = WeightStream.sections(
            calls, byteCounts: [256, 256, 512, 2048, 256], slotByteCount: 1024, operationCount: .max)
        // What a section has is not brought again; one weight may be larger than a slot was to be.
        #expect(
            sections == [
                WeightStream.Section(calls: 0..<5, offsets: [0: 0, 1: 256, 2: 512], byteCount: 1024),
                WeightStream.Section(calls: 5..<6, offsets: [3: 0], byteCount: 2048),
                WeightStream.Section(calls: 6..<8, offsets: [3: 0, 4: 2048], byteCount: 2304),
            ])
        #expect(
            WeightStream.sections([], byteCounts: [], slotByteCount: 0, operationCount: 0).isEmpty)
    }

    @Test func sectionsEndWhereTheyHaveEnoughToDo() {
        // Each row is a multiplication and an addition.
        let calls = [call([0], 2), call([], 3), call([0], 1), call([1], 9), call([], nil), call([1], 1)]
        let sections = WeightStream.sections(
            calls, byteCounts: [256, 256], slotByteCount: 1024, operationCount: 10)
        // What the one before had is brought again.
        #expect(
            sections == [
                WeightStream.Section(calls: 0..<2, offsets: [0: 0], byteCount: 256),
                WeightStream.Section(calls: 2..<3, offsets: [0: 0], byteCount: 256),
                WeightStream.Section(calls: 3..<4, offsets: [1: 0], byteCount: 256),
                WeightStream.Section(calls: 4..<6, offsets: [1: 0], byteCount: 256),
            ])
    }

    /// Sections that read no weights have their turn of a slot all the same.
    @Test func shortSectionsConform() async throws {
        var engine = engine
        engine.tuning.streamedByteCount = 1 << 20
        engine.tuning.submittedOperationCount = 1
        let cases = try compositeCases().filter { $0.name.contains("block") }
        #expect(!cases.isEmpty)
        let failures = await conformanceFailures(of: engine, precision: .float32, cases: cases)
        #expect(failures.isEmpty, "\(failures.map(\.description).joined(separator: "\n"))")
        #expect(objections.all == [])
    }

    private func call(_ weights: [Int], _ rows: Int? = nil) -> KernelCall {
        KernelCall(
            kernel: Kernel(shader: .copy, isHalf: false, constants: []),
            operands: weights.map {
                .reads(View(storage: .weight($0), shape: [1], strides: [1], element: .number))
            }, parameters: [], workgroups: Workgroups(1),
            products: rows.map { ProductSizes(rows: $0, columns: 1, depth: 1) })
    }
}
