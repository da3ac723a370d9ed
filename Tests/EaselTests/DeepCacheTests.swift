import EngineInterface
import Foundation
import Imaging
import OpenVINOEngine
import ReferenceEngine
import Sampling
import Synchronization
import TensorGraph
import Testing

@testable import Easel
@testable import Networks

@Suite("Deep features kept over steps")
struct DeepCacheTests {
    /// The whole U-Net that gives deep features, and the layers above them, of a model for two contexts.
    private func graphs(_ model: Model, height: Int, freeU: FreeUVersion? = nil) throws -> (
        plain: Graph, whole: Graph, shallow: Graph
    ) {
        func graph(_ features: UNet.DeepFeatures?) throws -> Graph {
            try UNet(model.parts.unet).graph(
                batch: 1, passes: 2, height: height, width: 8, tokens: 5,
                pooledWidth: model.parts.pooledWidth,
                options: UNet.Options(freeU: freeU, deepFeatures: features), weights: model.parts.unetWeights)
        }
        return (try graph(nil), try graph(.given), try graph(.taken))
    }

    private func inputs(_ graph: Graph) -> [String: HostTensor] {
        var inputs: [String: HostTensor] = [:]
        for (name, type) in graph.inputs {
            let values = (0..<type.shape.count).map { sin(Float($0 * $0 % 61) * 0.37) }
            inputs[name] = HostTensor(values, shape: type.shape)
        }
        inputs["timestep"] = HostTensor([500 as Float], shape: [1])
        return inputs
    }

    private func expectShallowEqualsWhole(
        _ model: Model, _ engine: any Engine, height: Int = 9, freeU: FreeUVersion? = nil
    ) async throws {
        let (plain, whole, shallow) = try graphs(model, height: height, freeU: freeU)
        let weights = model.parts.unetWeights
        func run(_ graph: Graph, _ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
            try await engine.compile(graph, weights: weights, precision: .float32).run(inputs)
        }
        #expect(Set(shallow.inputs.map(\.name)) == Set(whole.inputs.map(\.name) + ["deep"]))
        #expect(shallow.weightCount < whole.weightCount / 2)
        let inputs = inputs(whole)
        let exact = try await run(plain, inputs).output("prediction").floats
        var outputs = try await run(whole, inputs)
        let prediction = outputs.output("prediction").floats
        #expect(largestDifference(prediction, exact) < 1e-5)
        let again = try await run(shallow, inputs.merging(["deep": outputs.output("deep")]) { $1 })
        #expect(largestDifference(again.output("prediction").floats, prediction) < 1e-5)
        // What is deep matters.
        let deep = outputs.output("deep")
        outputs["deep"] = HostTensor(deep.floats.map { $0 + 1 }, shape: deep.shape)
        let other = try await run(shallow, inputs.merging(["deep": outputs.output("deep")]) { $1 })
        #expect(largestDifference(other.output("prediction").floats, prediction) > 1e-3)
    }

    @Test(arguments: TinyModel.allCases) func shallowLayersGiveTheWholesPrediction(_ tiny: TinyModel)
        async throws
    {
        let model = try tiny.opened()
        try await expectShallowEqualsWhole(model, OpenVINOEngine(threads: 1))
        try await expectShallowEqualsWhole(model, OpenVINOEngine(threads: 1), freeU: .v2)
        try await expectShallowEqualsWhole(model, ReferenceEngine(), height: 2)
    }

    @Test(arguments: [
        "xl", "xl-refiner", "sd1-lcm", "sd1-distilled",
    ])
    func ofEveryFamily(_ name: String) async throws {
        let folder = try ScratchFolder()
        let file = folder.url.appending(path: "model.safetensors")
        try TinyFamily(name).write(to: file)
        let model = try Model(
            at: file, engine: OpenVINOEngine(threads: 1), precision: .float32,
            vocabulary: TinyFamily.vocabulary)
        try await expectShallowEqualsWhole(model, OpenVINOEngine(threads: 1))
    }

    @Test func anIntervalOfOneChangesNoByte() async throws {
        for tiny in TinyModel.allCases {
            let model = try tiny.opened()
            var request = Request.quick(steps: 4)
            let plain = try await model.picture(request)
            request.deepCache = DeepCache(interval: 1)
            #expect(try await model.picture(request).latents == plain.latents)
            request.deepCache = DeepCache(interval: 2)
            #expect(try await model.picture(request).latents != plain.latents)
        }
    }

    @Test func featuresAreOfTheSameRequestAndBatch() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick(steps: 4, count: 2)
        request.deepCache = DeepCache(interval: 3)
        let pictures = try await model.pictures(request)
        #expect(try await model.pictures(request).map(\.latents) == pictures.map(\.latents))
        request.batchSize = 2
        #expect(try await model.pictures(request).map(\.latents) == pictures.map(\.latents))
        (request.seed, request.count, request.batchSize) = (43, 1, 1)
        #expect(try await model.picture(request).latents == pictures[1].latents)
    }

    @Test(arguments: [NetworkResidency.unet, .one, .parts])
    func inEachMemoryMode(_ residency: NetworkResidency) async throws {
        var request = Request.quick(steps: 4)
        request.deepCache = DeepCache(interval: 2)
        let fast = try await openModel(at: TinyModel.sd1.folder).picture(request)
        let model = try Model(
            at: TinyModel.sd1.folder, engine: OpenVINOEngine(threads: 1), precision: .float32,
            memory: MemoryUse(.fast, residency: residency))
        #expect(try await model.picture(request).latents == fast.latents)
    }

    @Test func withEachSampler() async throws {
        let model = try TinyModel.sd1.opened()
        func latents(_ cache: DeepCache?) async throws -> [String: Latents] {
            var all: [String: Latents] = [:]
            for sampler in SamplerCatalogue.all {
                var request = Request.quick(steps: 6)
                (request.sampler, request.deepCache) = (sampler.name, cache)
                all[sampler.name] = try await model.picture(request).latents
            }
            return all
        }
        let plain = try await latents(nil)
        for (sampler, cached) in try await latents(DeepCache(interval: 2)) {
            #expect(cached != plain[sampler], "\(sampler)")
            let count = cached.values.count { !$0.isFinite }
            #expect(count == 0, "\(sampler)")
        }
    }

    /// Within a mask, of an ordinary U-Net and of one that sees it.
    @Test(arguments: ["sd1", "sd1-inpainting"]) func withAMask(_ name: String) async throws {
        let folder = try ScratchFolder()
        let file = folder.url.appending(path: "model.safetensors")
        let family = try TinyFamily(name)
        try family.write(to: file)
        let model = try Model(
            at: file, engine: OpenVINOEngine(threads: 1), precision: .float32,
            vocabulary: TinyFamily.vocabulary)
        let (width, height) = (64, 64)
        let picture = Image(
            width: width, height: height, pixels: (0..<3 * width * height).map { UInt8($0 * 7 % 256) })
        let isLeft = { (pixel: Int) in pixel % width < width / 2 }
        var request = Request.quick(steps: 6)
        (request.initImage, request.strength) = (picture, 0.9)
        request.inpainting = Inpainting(
            mask: Mask(
                width: width, height: height, values: (0..<width * height).map { isLeft($0) ? 0 : 255 }))
        let exact = try await model.picture(request)
        request.deepCache = DeepCache(interval: 1)
        #expect(try await model.picture(request).latents == exact.latents)
        request.deepCache = DeepCache(interval: 2)
        let cached = try await model.picture(request)
        #expect(cached.latents != exact.latents && cached.latents.values.allSatisfy(\.isFinite))
        // What is not made anew has its own bytes.
        for pixel in 0..<width * height where isLeft(pixel) {
            let bytes = 3 * pixel..<3 * pixel + 3
            #expect(Array(cached.image.pixels[bytes]) == Array(picture.pixels[bytes]))
        }
        (request.count, request.batchSize) = (2, 2)
        let both = try await model.pictures(request)
        #expect(both[0].latents == cached.latents && both[1].latents != cached.latents)
    }

    @Test func withGuidanceInAnIntervalASecondPassAndAPictureToStartFrom() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick(steps: 6)
        request.deepCache = DeepCache(interval: 3)
        request.perturbedAttentionScale = 2
        let perturbed = try await model.picture(request)
        request.perturbedAttentionScale = 0
        request.initImage = perturbed.image
        let again = try await model.picture(request)
        request.guidanceInterval = 0.3...0.9
        let inInterval = try await model.picture(request)
        #expect(inInterval.image != again.image)
        request.initImage = nil
        request.highResolution = HighResolution(scale: 1.5)
        let large = try await model.picture(request)
        #expect(large.image.width == 96)
        #expect(large.metadata.parameters.contains("Deep cache interval: 3"))
        let record = try Request(GenerationRecord(json: large.record.json))
        #expect(record.deepCache == DeepCache(interval: 3))
        #expect(try await model.picture(record).image == large.image)
    }

    @Test func whatIsOutOfRangeIsRefused() async throws {
        let model = try TinyModel.sd1.opened()
        for interval in [0, -1, 1001, Int.max] {
            var request = Request.quick()
            request.deepCache = DeepCache(interval: interval)
            let wanted = RequestError.outOfRange(
                field: "deep cache interval", value: "\(interval)", range: "from 1 to 1000")
            await #expect(throws: wanted) { try await model.picture(request) }
        }
        for text in ["", "deeper", "deep:", "deep:x", "deep:2:3", ":2", "deep:1e3"] {
            #expect(DeepCache(text) == nil, "\(text)")
        }
        #expect(DeepCache("deep") == DeepCache() && DeepCache("deep:7") == DeepCache(interval: 7))
    }
}

@Suite("When deep features are computed again")
struct DeepFeatureAgeTests {
    /// A network that counts its runs.
    private final class Counted: CompiledGraph {
        let runs = Mutex<[Float]>([])

        func run(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
            let timestep = inputs.output("timestep").floats[0]
            runs.withLock { $0.append(timestep) }
            let value = HostTensor([timestep], shape: [1])
            return ["prediction": inputs["deep"] ?? value, "deep": value]
        }
    }

    private struct Call {
        let step: Int
        let timestep: Float
        var pass = 0
        var prompt: Float = 0
    }

    /// The timesteps whose features each call was answered with.
    private func features(_ calls: [Call], interval: Int) async throws -> [Float] {
        let unet = DeepCachedUNet(whole: Counted(), shallow: Counted(), interval: interval)
        var features: [Float] = []
        for call in calls {
            let inputs = [
                "timestep": HostTensor([call.timestep], shape: [1]),
                "context": HostTensor([call.prompt], shape: [1]),
            ]
            features.append(
                try await unet.prediction(
                    inputs, timestep: call.timestep, step: call.step, pass: call.pass
                ).floats[0])
        }
        return features
    }

    @Test func inOneOfSoManySteps() async throws {
        let calls = (0..<7).map { Call(step: $0, timestep: Float(900 - 100 * $0)) }
        #expect(try await features(calls, interval: 3) == [900, 900, 900, 600, 600, 600, 300])
        #expect(try await features(calls, interval: 1) == calls.map(\.timestep))
    }

    @Test func inEachCallOfAStepOfSeveral() async throws {
        let calls = (0..<6).map { Call(step: $0 / 2, timestep: Float(900 - 100 * $0)) }
        #expect(try await features(calls, interval: 2) == [900, 800, 800, 800, 500, 400])
    }

    @Test func whereNoiseWasAddedAndWithAnotherPrompt() async throws {
        let calls = [
            Call(step: 0, timestep: 500), Call(step: 1, timestep: 400), Call(step: 2, timestep: 700),
            Call(step: 3, timestep: 600), Call(step: 4, timestep: 500, prompt: 1),
            Call(step: 5, timestep: 400, prompt: 1),
        ]
        #expect(try await features(calls, interval: 9) == [500, 500, 700, 700, 500, 500])
    }

    @Test func forEachPassOnItsOwn() async throws {
        let calls = [
            Call(step: 0, timestep: 900, pass: 1), Call(step: 1, timestep: 800, pass: 1),
            Call(step: 2, timestep: 700, pass: 0), Call(step: 2, timestep: 700, pass: 1),
            Call(step: 3, timestep: 600, pass: 0), Call(step: 3, timestep: 600, pass: 1),
        ]
        #expect(try await features(calls, interval: 3) == [900, 900, 700, 900, 700, 600])
    }
}
