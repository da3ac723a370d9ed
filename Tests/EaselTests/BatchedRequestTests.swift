import EngineInterface
import Imaging
import OpenVINOEngine
import Sampling
import Testing

@testable import Easel

@Suite("Requests of one batch have each their own picture")
struct BatchedRequestTests {
    /// The demo model, whose sizes are real ones, in an arithmetic of which it is promised that batches change nothing.
    private static func model(_ precision: Precision = .float32) throws -> Model {
        try Model(at: demoModel, engine: OpenVINOEngine(threads: 2), precision: precision)
    }

    /// Requests that differ in all that they may.
    private static func requests(_ sampler: String = "euler-ancestral", steps: Int = 3) -> [Request] {
        let prompts = [
            ("a star on a red background", "", 6), ("a blue circle", "dark, blurry", 7),
            ("[a red apple:a green (tree:1.3):1] on a table", "dark", 1), ("", "a circle", 0),
        ]
        return prompts.enumerated().map { index, own in
            var request = Request(
                prompt: own.0, negativePrompt: own.1, steps: steps, seed: UInt64(own.2), sampler: sampler)
            request.previewInterval = [nil, 1, 2, nil][index]
            return request
        }
    }

    /// What each stream tells, all read at the same time.
    private static func events(
        _ streams: [AsyncThrowingStream<GenerationEvent, any Error>]
    ) async -> [Result<[GenerationEvent], any Error>] {
        await withTaskGroup(of: (Int, Result<[GenerationEvent], any Error>).self) { group in
            for (index, stream) in streams.enumerated() {
                group.addTask {
                    do {
                        var events: [GenerationEvent] = []
                        for try await event in stream { events.append(event) }
                        return (index, .success(events))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    @Test("to the bit the one that it has alone", arguments: ["euler-ancestral", "dpmpp-2m-sde", "ddim"])
    func picturesAreThoseMadeAlone(_ sampler: String) async throws {
        let model = try Self.model()
        let requests = Self.requests(sampler)
        let told = await Self.events(model.generate(batch: requests))
        for (request, result) in zip(requests, told) {
            let events = try result.get()
            let alone = try await model.events(request)
            #expect(events.pictures.count == 1)
            let (own, other) = (try #require(events.pictures.first), try #require(alone.pictures.first))
            #expect(own.latents == other.latents && own.image == other.image)
            #expect(own.metadata == other.metadata && own.record == other.record && own.index == 0)
            #expect(events.steps.map(\.latents) == alone.steps.map(\.latents))
            #expect(events.steps.map(\.previews.count) == alone.steps.map(\.previews.count))
            #expect(events.steps.map(\.picture) == [0, 0, 0])
        }
    }

    @Test("to the bit in bf16 too")
    func halfPrecision() async throws {
        guard let model = try? Self.model(.bfloat16) else { return }
        #expect(model.batchesExactly)
        let requests = Array(Self.requests().prefix(2))
        let told = await Self.events(model.generate(batch: requests))
        for (request, result) in zip(requests, told) {
            #expect(try await model.picture(request).latents == result.get().pictures.first?.latents)
        }
    }

    @Test("whatever varies with the picture: other noise mixed in, choices in prompts, a seed that is drawn")
    func variations() async throws {
        let model = try TinyModel.sd1.opened()
        var requests = [Request.quick(seed: 5), .quick("{a cat|a dog} on a mat", seed: 6)]
        for index in requests.indices {
            requests[index].variation = NoiseVariation(subseed: UInt64(70 + 7 * index), strength: 0.2)
            requests[index].seedSize = PixelSize(width: 128, height: 64)
        }
        for (request, result) in zip(requests, await Self.events(model.generate(batch: requests))) {
            let (own, alone) = (
                try #require(try result.get().pictures.first), try await model.picture(request)
            )
            #expect(own.metadata == alone.metadata)
            // The tiny models' sums are in another order in a batch.
            #expect(largestDifference(own.latents.values, alone.latents.values) <= 2e-3)
        }
        let drawn = await Self.events(model.generate(batch: [.quick(seed: nil), .quick(seed: nil)]))
        let seeds = try drawn.map { try #require(try $0.get().pictures.first).seed }
        #expect(seeds[0] != seeds[1])
    }

    @Test("and are made early, or not at all, without a trace in the others")
    func endings() async throws {
        let model = try Self.model()
        let requests = Self.requests(steps: 6)
        let stops = requests.map { _ in EarlyStop() }
        stops[1].request(.batch)
        let streams = model.generate(batch: requests, stops: stops)
        let leaving = Task {
            for try await event in streams[2] {
                if case .step = event { break }
            }
        }
        let told = await Self.events([streams[0], streams[1], streams[3]])
        try await leaving.value
        for (index, result) in zip([0, 1, 3], told) {
            let made = try #require(try result.get().pictures.first)
            let stop = EarlyStop()
            if index == 1 { stop.request(.batch) }
            var alone: [GenerationEvent] = []
            for try await event in model.generate(requests[index], stop: stop) { alone.append(event) }
            let isSame = made.latents == alone.pictures.first?.latents
            #expect(isSame, "request \(index)")
            #expect(made.record.stepsTaken == (index == 1 ? 1 : nil))
        }
        // Where all are stopped, no other step is taken.
        let all = [EarlyStop(), EarlyStop()]
        for stop in all { stop.request(.request) }
        let stopped = await Self.events(model.generate(batch: Array(requests.prefix(2)), stops: all))
        for result in stopped { #expect(try result.get().steps.count == 1) }
    }

    @Test("and the work ends with the last who waits for it")
    func nobodyWaits() async throws {
        let model = try TinyModel.sd1.opened()
        let requests = [Request.quick(seed: 1, steps: 900), .quick(seed: 2, steps: 900)]
        let streams = model.generate(batch: requests)
        let readers = streams.map { stream in
            Task {
                var steps = 0
                for try await event in stream {
                    if case .step = event { steps += 1 }
                }
                return steps
            }
        }
        try await Task.sleep(for: .milliseconds(200))
        for reader in readers { reader.cancel() }
        for reader in readers { #expect(try await reader.value < 900) }
        // The model is free for others at once.
        #expect(try await model.pictures(.quick()).count == 1)
    }

    @Test("with a U-Net that is compiled once for each number of pictures, where it is small")
    func readyUNets() async throws {
        let model = try TinyModel.sd1.opened()
        func batches() async -> [Int] { await model.networks.spareUNets.map(\.shape.batch) }
        for count in [1, 2, 3, 2] {
            _ = try await model.pictures(.quick(steps: 1, count: count, batchSize: count))
        }
        #expect(await batches() == [1, 3])
        let known = await model.networks.spareUNets.first { $0.shape.batch == 3 }?.compilation
        for result in await Self.events(model.generate(batch: (0..<3).map { .quick(seed: $0, steps: 1) })) {
            #expect(try result.get().pictures.count == 1)
        }
        let ready = await model.networks.ready
        #expect(known != nil && ready[.unet]?.compilation == known)
        #expect(await batches() == [1, 2])
        // Another size's take their place.
        var wide = Request.quick(steps: 1)
        wide.width = 128
        _ = try await model.pictures(wide)
        #expect(await batches().isEmpty)
    }

    @Test("only where they agree in what a batch shares")
    func refusals() async throws {
        let model = try TinyModel.sd1.opened()
        var first = Request.quick()
        first.sampler = "euler"
        func reason(_ change: (inout Request) -> Void) -> String? {
            var other = Request.quick("a blue circle", seed: 2)
            other.sampler = "euler"
            change(&other)
            do {
                try model.checkBatch([first, other])
                return nil
            } catch RequestError.notOneBatch(let reason) {
                return reason
            } catch {
                return "\(error)"
            }
        }
        #expect(reason { _ in } == nil)
        #expect(reason { ($0.negativePrompt, $0.seed, $0.previewInterval) = ("", nil, 3) } == nil)
        #expect(reason { ($0.batchSize, $0.sampler) = (4, "k_euler") } == nil)
        #expect(reason { $0.width = 128 } == "they differ in size")
        #expect(reason { $0.steps = 4 } == "they differ in steps")
        #expect(reason { $0.sampler = "heun" } == "they differ in sampler")
        #expect(reason { $0.schedule = "karras" } == "they differ in schedule")
        #expect(reason { $0.guidanceScale = 3 } == "they differ in guidance scale")
        #expect(reason { $0.prompt = "a AND b" } == "they differ in the weights of the prompt's parts")
        #expect(
            reason { $0.negativePrompt = String(repeating: "apple ", count: 100) }
                == "they differ in the prompts' length in chunks")
        let others: [(inout Request) -> Void] = [
            { $0.guidanceRescale = 0.5 }, { $0.clipSkip = 2 }, { $0.eta = 0.5 }, { $0.tiling = .x },
            { $0.randomSource = .torchCUDA }, { $0.freeU = FreeU() },
            { $0.variation = NoiseVariation(subseed: 1, strength: 0.5) }, { $0.tokenMergingRatio = 0.5 },
            { $0.guidanceInterval = 0...0.5 }, { $0.perturbedAttentionScale = 3 },
        ]
        for change in others {
            #expect(reason(change) == "they differ in settings besides the prompts and seeds")
        }
        #expect(reason { $0.count = 2 } == "one is for 2 pictures")
        #expect(reason { $0.sampler = "dpm-adaptive" }?.contains("chooses its steps") == true)
        #expect(reason { $0.deepCache = DeepCache() }?.contains("deep features") == true)
        #expect(reason { $0.highResolution = HighResolution() }?.contains("second pass") == true)
        #expect(
            reason { $0.initImage = Image(width: 64, height: 64, pixels: Array(repeating: 0, count: 12288)) }?
                .contains("starts from a picture") == true)
        #expect(reason { $0.steps = 0 }?.contains("steps 0 is not possible") == true)
        #expect(throws: RequestError.self) { try model.checkBatch([]) }

        // Each stream says why.
        var wide = first
        wide.width = 128
        for result in await Self.events(model.generate(batch: [first, wide])) {
            #expect(throws: RequestError.notOneBatch(reason: "they differ in size")) { try result.get() }
        }
    }
}

extension [GenerationEvent] {
    fileprivate var steps: [Step] {
        compactMap { if case .step(let step) = $0 { step } else { nil } }
    }
}
