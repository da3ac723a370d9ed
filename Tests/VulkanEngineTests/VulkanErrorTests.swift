import EngineConformance
import EngineInterface
import TensorGraph
import Testing

@testable import VulkanEngine

/// What a device does not have or do is an error that says so, and what to do.
@Suite(.serialized) struct VulkanErrorTests {
    private func engine(patience: Duration = .seconds(600)) throws -> VulkanEngine {
        try VulkanEngine("llvmpipe", of: VulkanInstance.shared.get(), patience: patience)
    }

    private struct Named {
        let name: String
        let rank: Int?
    }

    private func chosen(_ choice: String?, among devices: [Named]) throws -> String {
        try VulkanEngine.choose(choice, among: devices, named: \.name) { $0.rank }.name
    }

    @Test func devicesAreChosenByRankNumberAndName() throws {
        let devices = [
            Named(name: "Intel UHD", rank: 1), Named(name: "GeForce RTX 4090", rank: 0),
            Named(name: "llvmpipe", rank: nil),
        ]
        #expect(try chosen(nil, among: devices) == "GeForce RTX 4090")
        #expect(try chosen("0", among: devices) == "Intel UHD")
        #expect(try chosen("2", among: devices) == "llvmpipe")
        #expect(try chosen("rtx", among: devices) == "GeForce RTX 4090")
        for (choice, words) in [("3", "no device 3"), ("radeon", "no device \"radeon\"")] {
            let error = #expect(throws: EngineError.self) { try chosen(choice, among: devices) }
            #expect(error?.description.contains(words) == true)
            #expect(error?.description.contains("1 GeForce RTX 4090") == true)
            #expect(error?.description.contains("--device cpu") == true)
        }
        // A number that no device has may be a word of a name, and a whole name a part of a longer one.
        #expect(try chosen("4090", among: devices) == "GeForce RTX 4090")
        #expect(throws: EngineError.self) { try chosen("40", among: devices) }
        let alike = [Named(name: "GeForce RTX 3080 Ti", rank: 0), Named(name: "GeForce RTX 3080", rank: 0)]
        #expect(try chosen("GeForce RTX 3080", among: alike) == "GeForce RTX 3080")
        #expect(try chosen("geforce rtx 3080", among: alike) == "GeForce RTX 3080")
        #expect(try chosen("3080", among: alike) == "GeForce RTX 3080 Ti")
        // A program that does a GPU's work is slower than the CPU's own engine: never without being asked for.
        #expect(throws: EngineError.self) { try chosen(nil, among: [devices[2]]) }
        #expect(throws: EngineError.self) { try chosen(nil, among: []) }
    }

    @Test func integersAreNotComputedWith() throws {
        let engine = try engine()
        #expect(try engine.resolve(.automatic) == .float16)
        let error = #expect(throws: EngineError.self) { try engine.resolve(.int8) }
        #expect(error?.description.contains("f16, f32") == true)
    }

    @Test func whatMemoryDoesNotHoldIsRefused() async throws {
        let engine = try engine()
        func large(_ size: Int) throws -> ConformanceCase {
            try ConformanceCase("large") { builder in
                let rows = builder.input("x", [1 << 20, 1])
                return ["y": mean(rows + builder.input("z", [1, size]), axes: [0, 1])]
            }
        }
        func refusal(_ size: Int) async throws -> EngineError? {
            let one = try large(size)
            return await #expect(throws: EngineError.self) {
                try await engine.compile(one.graph, weights: one.weights, precision: .float32)
            }
        }
        let error = try await refusal(1 << 10)
        let limit = engine.device.physical.largestAllocation
        let words = "MiB in one piece (its driver gives \(limit >> 20) MiB at most) for graph \"large\""
        #expect(error?.description.contains(words) == true)
        #expect(error?.description.contains("--device cpu") == true)
        #expect(try await refusal(1 << 11)?.description.contains("more elements than") == true)
        // What comes after is computed as ever.
        let small = try ConformanceCase("small") { ["y": $0.input("x", [3]) * 2] }
        #expect(await conformanceFailures(of: engine, cases: [small]).isEmpty)
    }

    /// The device is at work on the weights before one that cannot be brought to it.
    @Test func weightsThatCannotBeReadEndACompilation() async throws {
        var engine = try VulkanEngine("llvmpipe", of: VulkanEngineTests.instance.get())
        engine.tuning.stagingByteCount = 1024
        let kernel: Shape = [2, 64, 3, 3]
        let one = try ConformanceCase(
            "unreadable", weights: ["w": ([600, 64], .float32), "k": (kernel, .float32)]
        ) { builder in
            let x = builder.input("x", [1, 64, 1, 600])
            let product = matrixMultiply(x, builder.weights.tensor("w", [600, 64]))
            return [
                "y": convolution(
                    product, kernel: builder.weights.tensor("k", kernel), Convolution(padding: .init(1)))
            ]
        }
        let objections = try #require(VulkanEngineTests.instance.get().objections)
        for streamedByteCount: Int? in [nil, 1 << 20] {
            engine.tuning.streamedByteCount = streamedByteCount
            let limited = engine
            let error = await #expect(throws: EngineError.self) {
                try await limited.compile(one.graph, weights: one.weights, precision: .float32)
            }
            #expect(error?.description.contains("rows larger than 1024 bytes") == true)
            #expect(engine.device.memory.withLock { $0.byteCount } == 0)
        }
        let small = try ConformanceCase("small") { ["y": $0.input("x", [3]) * 2] }
        #expect(await conformanceFailures(of: engine, cases: [small]).isEmpty)
        #expect(objections.all == [])
    }

    @Test func valuesOfManyAxesAreRefused() async throws {
        let engine = try engine()
        let one = try ConformanceCase("axes") { builder in
            let shape: Shape = [2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2]
            let other: Shape = [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]
            return ["y": builder.input("x", shape) + builder.input("z", other)]
        }
        let error = await #expect(throws: EngineError.self) {
            try await engine.compile(one.graph, weights: one.weights, precision: .float32)
        }
        #expect(error?.description.contains("more axes than 6") == true)
    }

    @Test func resultsOfCallsSayWhatFailedAndWhatToDo() throws {
        let device = try engine().device
        func message(_ status: Int32, byteCount: Int? = nil) -> String {
            let error = #expect(throws: EngineError.self) {
                try device.check(
                    .init(rawValue: status), of: "vkCreateFence", graph: "g", byteCount: byteCount)
            }
            return error?.description ?? ""
        }
        // By the numbers of VkResult.
        let (hostMemory, deviceMemory, tooManyObjects): (Int32, Int32, Int32) = (-1, -2, -10)
        #expect(message(deviceMemory).contains("has no more memory for graph \"g\""))
        #expect(message(deviceMemory, byteCount: 3 << 20).contains("has no 3 MiB more"))
        #expect(message(deviceMemory, byteCount: 16).contains("has no 1 MiB more"))
        // The machine's own memory, not the device's.
        #expect(message(hostMemory).contains("vulkan got no memory for graph \"g\""))
        #expect(!message(hostMemory).contains("llvmpipe"))
        let other = message(tooManyObjects)
        #expect(other.contains("vkCreateFence gave too many objects") && other.contains("--device cpu"))
    }

    /// A device that does not answer is given up, and whatever it may still be at work on is left alone.
    @Test func noAnswerIsAnError() async throws {
        let engine = try engine(patience: .microseconds(1))
        let one = try ConformanceCase("long") { builder in
            let x = builder.input("x", [1, 1200, 1200])
            return ["y": matrixMultiply(matrixMultiply(x, x), x)]
        }
        // The second time, on the device that is opened in place of the first.
        for _ in 0..<2 {
            let error = await #expect(throws: EngineError.self) {
                try await engine.compile(one.graph, weights: one.weights, precision: .float32).run(one.inputs)
            }
            #expect(error?.description.contains("was lost") == true)
            #expect(error?.description.contains("no answer in") == true)
            #expect(error?.description.contains("Ask again") == true)
            #expect(error?.description.contains("--device cpu") == true)
        }
    }

    @Test func aDeviceThatItsDriverLostIsOpenedAgain() async throws {
        let engine = try VulkanEngine("llvmpipe", of: VulkanEngineTests.instance.get())
        let objections = try #require(VulkanEngineTests.instance.get().objections)
        let one = try #require(try compositeCases().first { $0.name == "residual block" })
        let lost = engine.device
        let compiled = try await engine.compile(one.graph, weights: one.weights, precision: .float32)
        let expected = try await compiled.run(one.inputs)
        let error = #expect(throws: EngineError.self) {
            // VK_ERROR_DEVICE_LOST
            try lost.check(.init(rawValue: -4), of: "vkQueueSubmit", graph: one.name)
        }
        #expect(error?.description.contains("was lost") == true)
        #expect(error?.description.contains("the driver says so") == true)
        // What was compiled before is compiled again.
        #expect(try await compiled.run(one.inputs) == expected)
        #expect(engine.device !== lost && !engine.device.isLost)
        let peak = try #require(engine.peakDeviceMemoryByteCount)
        #expect(peak > 0)
        #expect(await conformanceFailures(of: engine, cases: [one]).isEmpty)
        // What a lost device has is given back, and counted still.
        #expect(lost.memory.withLock { $0.byteCount } == 0)
        let later = try #require(engine.peakDeviceMemoryByteCount)
        #expect(later >= peak)
        #expect(objections.all == [])
    }

    @Test func cancelledRunsEndWithoutAResult() async throws {
        let engine = try engine()
        let one = try ConformanceCase("cancelled") { ["y": $0.input("x", [3]) * 2] }
        let compiled = try await engine.compile(one.graph, weights: one.weights, precision: .float32)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await compiled.run(one.inputs)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await compiled.run(one.inputs)["y"]?.shape == [3])
    }
}
