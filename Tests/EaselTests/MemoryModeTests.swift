import EngineInterface
import Foundation
import Imaging
import OpenVINOEngine
import TensorGraph
import Testing

@testable import Easel

@Suite("Memory modes give the same pictures")
struct MemoryModeTests {
    private static func model(_ use: MemoryUse, at folder: URL = demoModel) throws -> Model {
        try Model(at: folder, engine: OpenVINOEngine(threads: 1), precision: .float32, memory: use)
    }

    private static func request(width: Int = 64, height: Int = 64, steps: Int = 2) -> Request {
        var request = Request(prompt: "a red apple on a blue background", steps: steps, seed: 3)
        (request.width, request.height) = (width, height)
        return request
    }

    @Test(arguments: [NetworkResidency.unet, .one, .parts])
    func lettingNetworksGoChangesNothing(_ residency: NetworkResidency) async throws {
        for folder in [TinyModel.sd1.folder, demoModel] {
            let all = try await Self.model(MemoryUse(.fast), at: folder).picture(Self.request())
            let model = try Self.model(MemoryUse(.fast, residency: residency), at: folder)
            for _ in 0..<2 {
                let picture = try await model.picture(Self.request())
                #expect(picture.image.pixels == all.image.pixels)
                #expect(picture.latents == all.latents)
            }
        }
    }

    @Test func aUNetInPartsGivesTheSameBits() async throws {
        let model = try openModel(at: demoModel)
        let graph = try ModelNetwork.unet.graph(model.parts, height: 8, width: 8)
        let weights = model.parts.unetWeights
        let engine = try OpenVINOEngine(threads: 1)
        var inputs: [String: HostTensor] = [:]
        for (name, type) in graph.inputs {
            let values = (0..<type.shape.count).map { sin(Float($0) * 0.37) }
            inputs[name] = HostTensor(values, shape: type.shape)
        }
        let whole = try await engine.compile(graph, weights: weights, precision: .float32).run(inputs)
        let limit = graph.weightCount / 5
        #expect(graph.cuts(limitingWeightsTo: limit).count >= 4)
        let parts = PartwiseGraph(
            graph, weights: weights, engine: engine, precision: .float32, limit: limit)
        #expect(try await parts.run(inputs) == whole)
    }

    @Test func passesOneAfterTheOtherGiveTheSameBits() async throws {
        for folder in [TinyModel.sd1.folder, demoModel] {
            var request = Self.request()
            request.prompt += " AND a pear :0.5"
            let together = try await Self.model(MemoryUse(.fast), at: folder).picture(request)
            let alone = try await Self.model(MemoryUse(.minimal, runsPassesAlone: true), at: folder)
                .picture(request)
            #expect(alone.latents == together.latents)
        }
    }

    @Test func passesOfLargePicturesAreRunAlone() async throws {
        let model = try Self.model(MemoryUse(.minimal))
        func plan(_ side: Int) -> UNetPlan {
            UNetPlan(
                batch: 1, passes: 2, canRunPassesAlone: true, tokens: 77, height: side / 8, width: side / 8)
        }
        let (small, large) = (
            try await model.networks.planMemory(plan(768), encodes: false).plan,
            try await model.networks.planMemory(plan(1024), encodes: false).plan
        )
        #expect(!small.runsPassesAlone && large.runsPassesAlone)
        let shape = await model.networks.shape(plan(1024), large)
        #expect(shape.passes == 1)
        let together = try Self.model(MemoryUse(.minimal, runsPassesAlone: false))
        let (_, bytes) = try await together.networks.planMemory(plan(1024), encodes: false)
        #expect(try await model.networks.planMemory(plan(1024), encodes: false).bytes < bytes)
    }

    @Test func slicedAttentionGivesTheSamePicture() async throws {
        let whole = try await Self.model(MemoryUse(.fast)).picture(Self.request(width: 128, height: 128))
        let model = try openModel(at: demoModel)
        let graph = try ModelNetwork.vaeDecoder.graph(model.parts, height: 16, width: 16)
        let sliced = try graph.slicingAttention(scoresAtOnce: 256 * 100)
        #expect(sliced.nodes.count { $0.operation.name == "attention" } == 3)
        let engine = try OpenVINOEngine(threads: 1)
        let inputs = [
            "latents": HostTensor(
                model.parts.autoencoder.unscaled(whole.latents.values), shape: .init(whole.latents.shape))
        ]
        let weights = model.parts.autoencoderWeights
        let one = try await engine.compile(graph, weights: weights, precision: .float32).run(inputs)
        let other = try await engine.compile(sliced, weights: weights, precision: .float32).run(inputs)
        let gap = largestDifference(one.output("pictures").floats, other.output("pictures").floats)
        #expect(gap < 1e-4, "differs by \(gap)")
    }

    @Test(arguments: [(128, 128), (200, 128), (168, 264)])
    func tilesAreWithinFortyDecibels(_ width: Int, _ height: Int) async throws {
        let request = Self.request(width: width, height: height, steps: 6)
        let whole = try await Self.model(MemoryUse(.fast)).picture(request)
        let side = max(width, height) / 2 / 16 * 16
        let tiled = try await Self.model(MemoryUse(.fast, tileSize: side)).picture(request)
        #expect(tiled.latents == whole.latents)
        let psnr = peakSignalToNoise(tiled.image, whole.image)
        #expect(psnr >= 40 && psnr < 90, "\(psnr) dB")
    }

    @Test func tilesOfASeamlessPictureAreSeamless() async throws {
        var request = Self.request(width: 192, height: 128, steps: 6)
        request.tiling = .both
        let whole = try await Self.model(MemoryUse(.fast)).picture(request)
        let tiled = try await Self.model(MemoryUse(.fast, tileSize: 96, tileOverlap: 48)).picture(request)
        let psnr = peakSignalToNoise(tiled.image, whole.image)
        #expect(psnr >= 40 && psnr.isFinite, "\(psnr) dB")
    }

    @Test func picturesAreEncodedInTilesToo() async throws {
        let picture = try await Self.model(MemoryUse(.fast)).picture(
            Self.request(width: 192, height: 128, steps: 6))
        var request = Self.request(width: 192, height: 128, steps: 2)
        request.initImage = picture.image
        request.strength = 0.1
        let whole = try await Self.model(MemoryUse(.fast)).picture(request)
        let tiled = try await Self.model(MemoryUse(.fast, tileSize: 64, tileOverlap: 32)).picture(request)
        // Decoding in tiles alone would leave the latents as they are.
        #expect(tiled.latents != whole.latents)
        let psnr = peakSignalToNoise(tiled.image, whole.image)
        #expect(psnr >= 35, "\(psnr) dB")
    }

    @Test func minimalGivesThePicture() async throws {
        let request = Self.request(width: 320, height: 256)
        let fast = try await Self.model(MemoryUse(.fast)).picture(request)
        let minimal = try await Self.model(MemoryUse(.minimal)).picture(request)
        #expect(fast.memory == .fast && minimal.memory == .minimal)
        #expect(fast.latents == minimal.latents)
        let psnr = peakSignalToNoise(minimal.image, fast.image)
        #expect(psnr >= 40 && psnr.isFinite, "\(psnr) dB")
    }
}

@Suite("Memory limits")
struct MemoryLimitTests {
    private func estimates(_ width: Int, _ height: Int) async throws -> [MemoryMode: Int] {
        let model = try Model(at: demoModel, engine: OpenVINOEngine(threads: 1), precision: .float32)
        let plan = UNetPlan(batch: 1, passes: 2, tokens: 77, height: height / 8, width: width / 8)
        return Dictionary(
            uniqueKeysWithValues: try await model.networks.estimates(plan, encodes: false).map {
                ($0.mode, $0.bytes)
            })
    }

    private func mode(_ limit: Int) async throws -> MemoryMode {
        let model = try Model(
            at: demoModel, engine: OpenVINOEngine(threads: 1), precision: .float32,
            memory: MemoryUse(limit: limit))
        var request = Request.quick(steps: 1)
        (request.width, request.height) = (512, 512)
        return try await model.picture(request).memory
    }

    @Test func theFastestModeThatFitsIsTaken() async throws {
        let needed = try await estimates(512, 512)
        let (fast, balanced, minimal) = (needed[.fast]!, needed[.balanced]!, needed[.minimal]!)
        #expect(fast > balanced && balanced > minimal)
        let fastest = try await mode(fast)
        #expect(fastest == .fast)
        let middle = try await mode(fast - 1)
        #expect(middle == .balanced)
        let least = try await mode(balanced - 1)
        #expect(least == .minimal)
        let error = await #expect(throws: RequestError.self) { try await mode(minimal - 1) }
        guard case .memoryLimit(512, 512, 1, minimal, minimal - 1, .minimal) = error else {
            Issue.record("\(error.map(String.init(describing:)) ?? "no error")")
            return
        }
    }

    @Test func whatIsOutOfRangeIsRefused() throws {
        for use in [
            MemoryUse(limit: 0), MemoryUse(attentionSlice: 0), MemoryUse(tileSize: 63),
            MemoryUse(tileSize: -1), MemoryUse(tileSize: 4096), MemoryUse(tileSize: 64, tileOverlap: 33),
            MemoryUse(tileSize: 64, tileOverlap: -1), MemoryUse(tileOverlap: 8),
        ] {
            #expect(throws: RequestError.self, "\(use)") {
                try Model(at: demoModel, engine: OpenVINOEngine(threads: 1), memory: use)
            }
        }
    }
}

#if os(Linux)
    @Suite("Memory does not grow", .serialized)
    struct FlatMemoryTests {
        /// What the process has to itself, in bytes.
        private func resident() throws -> Int {
            let text = try String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Private_Dirty:") })
            return try #require(line.split(separator: " ").compactMap { Int($0) }.first) * 1024
        }

        /// Other tests of the process take and give memory meanwhile: the requests are repeated until it stayed flat.
        @Test func requestsOnALoadedModelTakeNoMore() async throws {
            let model = try openModel(at: TinyModel.sd1.folder)
            func make(_ count: Int) async throws {
                for seed in 0..<count { _ = try await model.picture(.quick(seed: UInt64(seed), steps: 1)) }
            }
            try await make(20)
            var growths: [Int] = []
            for _ in 0..<5 {
                let before = try resident()
                try await make(200)
                growths.append(try resident() - before)
                if growths.last! < 8_000_000 { break }
            }
            #expect(growths.last! < 8_000_000, "grew by \(growths) bytes")
        }
    }
#endif
