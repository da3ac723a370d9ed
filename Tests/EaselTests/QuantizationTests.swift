import Checkpoints
import EngineInterface
import Foundation
import Imaging
import OpenVINOEngine
import Synchronization
import Testing

@testable import Easel

@Suite("Integers of 8 bits")
struct QuantizationTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func demo(_ precision: Precision) throws -> Model? {
        let engine = try OpenVINOEngine()
        #if arch(x86_64)
            // Every processor of this kind has integers.
            _ = try engine.resolve(precision)
        #else
            guard (try? engine.resolve(precision)) != nil else { return nil }
        #endif
        return try Model(
            at: TinyModel.golden.appending(path: "../../Models/demo"), engine: engine, precision: precision,
            memory: 16 << 30, activationRanges: ActivationRangeCache(folder: folder.url))
    }

    /// Peak signal-to-noise ratio in dB.
    private func distance(_ first: Image, _ second: Image) -> Double {
        let squares = zip(first.pixels, second.pixels).map { pow(Double($0) - Double($1), 2) }
        return 10 * log10(255 * 255 * Double(squares.count) / max(squares.reduce(0, +), 1e-9))
    }

    @Test func picturesAreNearlyTheSame() async throws {
        guard let model = try demo(.int8), let exact = try demo(.float32) else { return }
        let request = Request(prompt: "a red apple on a yellow background", steps: 10, seed: 3)
        let events = try await model.events(request)
        let picture = try #require(events.pictures.first)
        #expect(picture.timings[.calibrating] != nil)
        let wanted = try await exact.picture(request)
        #expect(wanted.timings[.calibrating] == nil)
        #expect(picture.image != wanted.image)
        let likeness = distance(picture.image, wanted.image)
        #expect(likeness > 30, "\(likeness) dB")
        // The second request, and a second model, know the ranges.
        #expect(try await model.picture(request).image == picture.image)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        #expect(files.count == 1)
        let again = try #require(try demo(.int8))
        let repeated = try await again.picture(request)
        #expect(repeated.image == picture.image)
        #expect(try #require(repeated.timings[.calibrating]) < .seconds(1))
    }

    @Test(arguments: ModelConversion.Layout.allCases)
    func quantizedModelIsWrittenAndRead(layout: ModelConversion.Layout) async throws {
        guard let model = try demo(.int8) else { return }
        // A single file does not say at what size it was trained.
        let request = Request(
            prompt: "a fish on a white background", width: 128, height: 128, steps: 4, seed: 5)
        let demoFolder = TinyModel.golden.appending(path: "../../Models/demo")
        var conversion = try ModelConversion(of: demoFolder)
        let ending = layout == .file ? ".safetensors" : ""
        let plain = folder.url.appending(path: "plain" + ending)
        try conversion.write(to: plain, layout: layout)
        conversion.quantize(try await model.activationRanges())
        let target = folder.url.appending(path: "small" + ending)
        try conversion.write(to: target, layout: layout)
        #expect(throws: ModelError.self) { try conversion.check(target, layout: layout) }
        func open(_ url: URL, _ precision: Precision, ranges: URL) throws -> Model {
            try Model(
                at: url, engine: OpenVINOEngine(), precision: precision,
                vocabulary: demoFolder.appending(path: "tokenizer"), memory: 16 << 30,
                activationRanges: ActivationRangeCache(folder: ranges))
        }
        let written = try open(target, .automatic, ranges: folder.url.appending(path: "none"))
        #expect(written.precision == .int8)
        let (own, wanted) = (
            try await written.picture(request),
            try await open(plain, .int8, ranges: folder.url).picture(request)
        )
        #expect(own.timings[.calibrating] == nil)
        let isSame = own.image == wanted.image
        #expect(isSame)
        // Less than two thirds of the halves that most of it was.
        let original = demoFolder.appending(path: "unet/diffusion_pytorch_model.safetensors")
        if layout == .folder {
            let unet = target.appending(path: "unet/diffusion_pytorch_model.safetensors")
            #expect(3 * (try byteCount(unet)) < 2 * (try byteCount(original)))
        }
        // A LoRA would change only the few layers that are not of integers.
        let layer = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
        let lora = folder.url.appending(path: "lora.safetensors")
        try TinyFile(
            tensors: ["\(layer).lora_down.weight": [4, 256], "\(layer).lora_up.weight": [256, 4]],
            constants: [:]
        ).write(to: lora)
        var changed = request
        changed.loras = [LoRA(path: lora.path)]
        let error = #expect(throws: ModelError.self) { try written.check(changed) }
        #expect("\(try #require(error))".contains(lora.path))
        changed.loras = [LoRA(path: lora.path, weight: 0, textEncoderWeight: 1)]
        try written.check(changed)
    }

    private func byteCount(_ file: URL) throws -> Int {
        try #require(
            try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? NSNumber
        ).intValue
    }

    @Test func rangesAreKeptByTheWeights() throws {
        let cache = ActivationRangeCache(folder: folder.url.appending(path: "ranges"))
        let ranges = ActivationRanges(["a": .init(lowest: -1, highest: 3)])
        #expect(cache.ranges(for: "key") == nil)
        cache.keep(ranges, for: "key")
        #expect(cache.ranges(for: "key") == ranges && cache.ranges(for: "other") == nil)
        // What cannot be read is as if it were not there.
        try Data("{".utf8).write(to: folder.url.appending(path: "ranges/key.json"))
        #expect(cache.ranges(for: "key") == nil)
        let (first, second) = (
            try Checkpoint(
                contentsOf: TinyModel.sd1.folder.appending(path: "unet/diffusion_pytorch_model.safetensors")),
            try Checkpoint(
                contentsOf: TinyModel.sd1.folder.appending(path: "vae/diffusion_pytorch_model.safetensors"))
        )
        #expect(try ActivationRangeCache.key([first]) == ActivationRangeCache.key([first]))
        #expect(try ActivationRangeCache.key([first]) != ActivationRangeCache.key([second]))
    }
}
