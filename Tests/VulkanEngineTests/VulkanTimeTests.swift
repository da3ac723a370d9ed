import EngineConformance
import EngineInterface
import TensorGraph
import Testing

@testable import VulkanEngine

/// What the engine measures of itself: times of dispatches, what they do, and memory.
@Suite(.serialized) struct VulkanTimeTests {
    let engine: VulkanEngine
    let objections: VulkanInstance.Objections

    init() throws {
        let instance = try VulkanEngineTests.instance.get()
        // With a count of memory of its own.
        engine = try VulkanEngine("llvmpipe", of: instance)
        objections = try #require(instance.objections)
    }

    private func compiled(_ one: ConformanceCase, _ precision: Precision) async throws -> VulkanGraph {
        let graph = try await engine.compile(one.graph, weights: one.weights, precision: precision)
        return try #require(graph as? VulkanGraph)
    }

    @Test(arguments: ["transformer block", "residual block"])
    func eachDispatchHasItsTime(name: String) async throws {
        let one = try #require(try compositeCases().first { $0.name == name })
        let lowering = try Lowering(one.graph, isHalf: false, tuning: engine.tuning)
        let graph = try await compiled(one, .float32)
        let before = try await graph.run(one.inputs)
        for _ in 0..<2 {
            let times = try await graph.measure(one.inputs)
            #expect(times.calls.map(\.shader) == lowering.calls.map(\.kernel.shader.rawValue))
            #expect(times.calls.allSatisfy { $0.seconds >= 0 && $0.seconds < 60 && $0.byteCount > 0 })
            #expect(times.calls.reduce(0) { $0 + $1.seconds } > 0)
            #expect(times.seconds > 0 && times.seconds < 60)
        }
        #expect(try await graph.run(one.inputs) == before)
        #expect(objections.all == [])
    }

    @Test(arguments: [Precision.float32, .float16])
    func operationsAndBytesAreCounted(precision: Precision) async throws {
        let one = try ConformanceCase(
            "counted", weights: ["w": ([5, 6], .float32), "k": ([7, 3, 3, 3], .float32)]
        ) { builder in
            let heads = builder.input("q", [2, 2, 9, 8])
            let keys = builder.input("k", [2, 2, 11, 8])
            return [
                "product": matrixMultiply(
                    builder.input("x", [4, 6]), builder.weights.tensor("w", [5, 6]), transposesRight: true),
                "picture": convolution(
                    builder.input("p", [1, 3, 10, 8]), kernel: builder.weights.tensor("k", [7, 3, 3, 3]),
                    Convolution(padding: .init(1))),
                "heads": scaledDotProductAttention(queries: heads, keys: keys, values: keys),
            ]
        }
        let calls = try await compiled(one, precision).measure(one.inputs).calls
        let size = precision == .float16 ? 2 : 4
        let product = try #require(calls.first { $0.shader == "matrix_multiply" })
        #expect(product.operationCount == 2 * 4 * 5 * 6)
        #expect(product.byteCount == (4 * 6 + 6 * 5 + 4 * 5) * size)
        #expect(product.shape == "4×5×6")
        let picture = try #require(calls.first { $0.shader == "convolution" })
        #expect(picture.operationCount == 2 * 80 * 7 * 27)
        #expect(picture.byteCount == (80 * 3 + 7 * 27 + 80 * 7) * size)
        // By matrices that subgroups hold, where the driver has them.
        let heads = try #require(calls.first { $0.shader.hasPrefix("attention") })
        #expect(heads.operationCount == 2 * 4 * 9 * 11 * 16)
        #expect(heads.byteCount == 4 * (9 * 8 + 2 * 11 * 8 + 9 * 8) * size)
        #expect(objections.all == [])
    }

    @Test func peakMemoryIsCounted() async throws {
        #expect(engine.peakDeviceMemoryByteCount == 0)
        func multiplied(_ size: Int) throws -> ConformanceCase {
            try ConformanceCase("product", weights: ["w": ([size, size], .float32)]) { builder in
                let x = builder.input("x", [1, size])
                return ["y": matrixMultiply(x, builder.weights.tensor("w", [size, size]))]
            }
        }
        func peak(_ size: Int) async throws -> Int {
            let one = try multiplied(size)
            _ = try await compiled(one, .float32).run(one.inputs)
            return try #require(engine.peakDeviceMemoryByteCount)
        }
        let small = try await peak(256)
        #expect((256 * 256 * 4..<2 * 256 * 256 * 4).contains(small))
        let large = try await peak(1024)
        // The first is given back by then.
        #expect((1024 * 1024 * 4..<1024 * 1024 * 4 + 256 * 256 * 4).contains(large))
        #expect(try await peak(256) == large)
        #expect(engine.device.memory.withLock { $0.byteCount } == 0)
    }

    @Test func copiesAreTimed() throws {
        let bandwidth = try engine.copyBandwidth(byteCount: 1 << 20, copies: 3)
        #expect(bandwidth > 1e6 && bandwidth < 1e15)
        #expect(objections.all == [])
    }
}
