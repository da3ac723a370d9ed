import EngineConformance
import EngineInterface
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

    @Test func sectionsEndWhereASlotIsFull() {
        func call(_ weights: [Int]) -> KernelCall {
            KernelCall(
                kernel: Kernel(shader: .copy, isHalf: false, constants: []),
                operands: weights.map {
                    .reads(View(storage: .weight($0), shape: [1], strides: [1], element: .number))
                }, parameters: [], workgroups: Workgroups(1))
        }
        let calls = [[], [0], [1], [0, 2], [], [3], [3, 4], []].map(call)
        let sections = WeightStream.sections(
            calls, byteCounts: [256, 256, 512, 2048, 256], slotByteCount: 1024)
        // What a section has is not brought again; one weight may be larger than a slot was to be.
        #expect(
            sections == [
                WeightStream.Section(calls: 0..<5, offsets: [0: 0, 1: 256, 2: 512], byteCount: 1024),
                WeightStream.Section(calls: 5..<6, offsets: [3: 0], byteCount: 2048),
                WeightStream.Section(calls: 6..<8, offsets: [3: 0, 4: 2048], byteCount: 2304),
            ])
        #expect(WeightStream.sections([], byteCounts: [], slotByteCount: 0).isEmpty)
    }
}
