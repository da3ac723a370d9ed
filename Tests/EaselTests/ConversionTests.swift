import Checkpoints
import Easel
import Foundation
import OpenVINOEngine
import Testing

@Suite("Models in another layout")
struct ConversionTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func url(_ name: String) -> URL { folder.url.appending(path: name) }

    private func written(_ family: String) throws -> URL {
        let file = url("\(family).safetensors")
        try TinyFamily(family).write(to: file)
        return file
    }

    private func latents(_ model: URL, _ request: Request) async throws -> [Float] {
        let model = try Model(
            at: model, engine: OpenVINOEngine(threads: 1), precision: .float32,
            vocabulary: TinyFamily.vocabulary)
        return try await model.picture(request).latents.values
    }

    @Test(arguments: [
        "sd1", "sd1-inpainting", "sd1-editing", "sd1-distilled", "sd1-lcm", "sd2-velocity", "sd2",
        "sd2-depth", "xl",
        "xl-inpainting", "xl-distilled", "xl-refiner",
    ])
    func filesBecomeFoldersAndFilesAgain(_ name: String) async throws {
        let family = try TinyFamily(name)
        let (file, made, again) = (try written(name), url("made"), url("again.safetensors"))
        try ModelConversion(of: file, vocabulary: TinyFamily.vocabulary).write(to: made, layout: .folder)
        try ModelConversion(of: made).write(to: again, layout: .file)
        let request = family.request()
        let wanted = try await latents(file, request)
        // The file is held to diffusers, and so are the others.
        #expect(try await latents(made, request) == wanted)
        #expect(try await latents(again, request) == wanted)
        // Every tensor that counts is there again, to the byte.
        let (stored, written) = (try Checkpoint(contentsOf: file), try Checkpoint(contentsOf: again))
        let (before, after) = (try stored.map(additionalBytes: 0), try written.map(additionalBytes: 0))
        for tensor in stored.names {
            let isLeftOut =
                ["model_ema", "betas", "alphas_cumprod", "first_stage_model.loss"].contains {
                    tensor.hasPrefix($0)
                } || tensor.hasSuffix("position_ids") || tensor.hasSuffix("logit_scale")
                || name.hasPrefix("sd2") && tensor.contains("resblocks.2.")
                || name.hasPrefix("sd2") && tensor.hasSuffix(".text_projection")
            if isLeftOut { continue }
            let entry = try #require(stored.entry(named: tensor))
            #expect(written.entry(named: tensor) == entry, "\(tensor)")
            guard written.entry(named: tensor) == entry else { continue }
            let (own, other) = (before.bytes(of: tensor, entry), after.bytes(of: tensor, entry))
            #expect(try Data(#require(own)) == Data(#require(other)), "\(tensor)")
        }
    }

    @Test func foldersOfVelocityModelsSaySo() throws {
        let (file, again) = (try written("sd2-velocity"), url("again.safetensors"))
        try ModelConversion(of: file, vocabulary: TinyFamily.vocabulary).write(to: again, layout: .file)
        #expect(try Checkpoint(contentsOf: again).metadata["modelspec.prediction_type"] == "v")
        #expect(
            try FileInspection(of: again, vocabulary: TinyFamily.vocabulary).predictionType == "v_prediction")
    }

    @Test(arguments: [(NumberType.float8E4M3, "F8_E4M3"), (.float8E5M2, "F8_E5M2")])
    func numbersOf8BitsAreThoseOfMatrices(_ numbers: NumberType, name: String) async throws {
        let (file, small) = (try written("sd1"), url("small.safetensors"))
        try ModelConversion(of: file, vocabulary: TinyFamily.vocabulary)
            .write(to: small, layout: .file, numbers: numbers)
        let checkpoint = try Checkpoint(contentsOf: small)
        for tensor in checkpoint.names {
            let isVector = try #require(checkpoint.entry(named: tensor)).shape.rank < 2
            #expect(checkpoint.storedType(of: tensor) == (isVector ? "F16" : name), "\(tensor)")
        }
        let request = try TinyFamily("sd1").requests[0].request
        let (whole, rounded) = (try await latents(file, request), try await latents(small, request))
        #expect(largestDifference(whole, rounded) < 1 && whole != rounded)
    }

    @Test func numbersAreStoredAsAskedFor() async throws {
        let (file, half) = (try written("sd1"), url("half.safetensors"))
        try ModelConversion(of: file, vocabulary: TinyFamily.vocabulary)
            .write(to: half, layout: .file, numbers: .float16)
        let checkpoint = try Checkpoint(contentsOf: half)
        #expect(Set(checkpoint.names.map { checkpoint.storedType(of: $0) }) == ["F16"])
        let request = try TinyFamily("sd1").requests[0].request
        let (whole, halved) = (try await latents(file, request), try await latents(half, request))
        #expect(largestDifference(whole, halved) < 0.2 && whole != halved)
    }

    @Test func adaptersAreAddedForGood() async throws {
        let (file, merged, lora) = (try written("sd1"), url("merged"), url("lora.safetensors"))
        try TinyAdapter("kohya").write(to: lora)
        let adapter = LoRA(path: lora.path, weight: 0.75)
        try ModelConversion(of: file, vocabulary: TinyFamily.vocabulary, loras: [adapter])
            .write(to: merged, layout: .folder)
        var request = try TinyFamily("sd1").requests[0].request
        let own = try await latents(merged, request)
        request.loras = [adapter]
        #expect(try await latents(file, request) == own)
    }

    @Test func nothingIsOverwrittenOrHalfWritten() throws {
        let file = try written("sd1")
        let conversion = try ModelConversion(of: file, vocabulary: TinyFamily.vocabulary)
        #expect(throws: ModelError.self) { try conversion.write(to: file, layout: .file) }
        for layout in ModelConversion.Layout.allCases {
            #expect(throws: FileError.self) {
                try conversion.write(to: url("no/such/folder"), layout: layout)
            }
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        #expect(files == ["sd1.safetensors"])
        let damaged = url("damaged.safetensors")
        try TinyFamily("sd1").write(to: damaged, leavingOut: { $0.hasSuffix("out.2.bias") })
        #expect(throws: (any Error).self) {
            try ModelConversion(of: damaged, vocabulary: TinyFamily.vocabulary)
        }
    }
}
