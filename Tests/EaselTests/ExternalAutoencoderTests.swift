import Checkpoints
import Easel
import Foundation
import Imaging
import OpenVINOEngine
import Testing

@Suite("Other autoencoders in place of a model's own")
struct ExternalAutoencoderTests {
    private let folder: ScratchFolder
    private let family: TinyFamily
    private let golden: Checkpoint

    init() throws {
        folder = try ScratchFolder()
        family = try TinyFamily("sd1")
        golden = try Checkpoint(contentsOf: TinyModel.golden.appending(path: "families/vaes.safetensors"))
        try family.write(to: folder.url.appending(path: "model.safetensors"))
    }

    /// The tensors of `Tests/Golden/autoencoders.py`.
    private func tensors(_ name: String) throws -> [String: [Int]] {
        struct Document: Decodable { let tensors: [String: [Int]] }
        let url = TinyModel.golden.appending(path: "families/vae-\(name).json")
        return try JSONDecoder().decode(Document.self, from: Data(contentsOf: url)).tensors
    }

    private func written(_ tensors: [String: [Int]], named name: (String) -> String = { $0 }) throws -> URL {
        let file = folder.url.appending(path: "vae.safetensors")
        try TinyFile(tensors: tensors, constants: [:]).write(to: file, naming: name)
        return file
    }

    private func model(vae: URL) throws -> Model {
        try Model(
            at: folder.url.appending(path: "model.safetensors"), engine: OpenVINOEngine(threads: 1),
            precision: .float32, vocabulary: TinyFamily.vocabulary, vae: vae)
    }

    private func expectGoldenPicture(_ name: String, _ model: Model) async throws {
        let image = try await model.picture(family.requests[0].request).image
        // [3, height, width] in −1…1, to pixels.
        let decoded = try GoldenPipelineTests.floats("\(name).picture", in: golden)
        let plane = decoded.count / 3
        let pixels = (0..<plane).flatMap { place in
            (0..<3).map { UInt8((decoded[$0 * plane + place] * 127.5 + 127.5).rounded()) }
        }
        #expect(largestDifference(pixels, image.pixels) <= 1)
    }

    @Test(arguments: ["tiny", "large"])
    func picturesAreDiffusers(_ name: String) async throws {
        let model = try model(vae: written(tensors(name)))
        try await expectGoldenPicture(name, model)
        let settings = try await model.picture(.quick(steps: 1)).metadata.parameters
        #expect(settings.contains(/, VAE hash: [0-9a-f]{10}, VAE: vae.safetensors,/))
        var request = family.requests[0].request
        let (width, height) = (request.width ?? 0, request.height ?? 0)
        let pixels = (0..<width * height).flatMap { pixel -> [UInt8] in
            [UInt8(pixel % width * 3 % 256), UInt8(pixel / width * 2 % 256), 100]
        }
        request.initImage = Image(width: width, height: height, pixels: pixels)
        request.strength = 0.5
        let latents = try await model.picture(request).latents.values
        let wanted = try GoldenPipelineTests.floats("\(name).latents", in: golden)
        #expect(largestDifference(wanted, latents) <= 2e-3)
    }

    @Test func theAuthorsFileOfADecoderAloneDecodes() async throws {
        let decoder = try tensors("tiny").filter { $0.key.hasPrefix("decoder.layers.") }
        let file = try written(decoder) { name in
            let rest = name.dropFirst("decoder.layers.".count)
            let dot = rest.firstIndex(of: ".")!
            return "\(Int(rest[..<dot])! + 1)\(rest[dot...])"
        }
        try await expectGoldenPicture("tiny", try model(vae: file))
    }

    /// The author's two files, whatever their format, and one file of both: what the folder's layout gives, to the bit.
    @Test func theAuthorsFilesAreAPair() async throws {
        let whole = try await results(of: model(vae: written(tensors("tiny"))))
        let pair = folder.url.appending(path: "pair")
        try FileManager.default.createDirectory(at: pair, withIntermediateDirectories: true)
        let (decoder, encoder) = (
            pair.appending(path: "taesd_decoder.safetensors"),
            pair.appending(path: "taesd_encoder.safetensors")
        )
        try half("decoder").write(to: decoder) { $0 }
        var request = family.requests[0].request
        request.initImage = picture
        let alone = try model(vae: decoder)
        let error = await #expect(throws: RequestError.self) { try await alone.picture(request) }
        let reason = "\(try #require(error))"
        #expect(reason.contains(decoder.path) && reason.contains("put taesd_encoder.safetensors beside it"))
        request.initImage = nil
        #expect(try await alone.picture(request).image == whole.made)
        // A second pass that starts from latents needs none.
        request.highResolution = HighResolution(scale: 1.5, steps: 2)
        #expect(try await alone.picture(request).image.width == 108)
        request.highResolution?.upscaler = .image
        await #expect(throws: RequestError.self) { try await alone.picture(request) }

        try half("encoder").write(to: encoder) { $0 }
        #expect(try await results(of: model(vae: decoder)) == whole)
        // Named by the other one, of another format.
        try FileManager.default.removeItem(at: encoder)
        let torch = pair.appending(path: "taesd_encoder.pth")
        try half("encoder").writeTorch(to: torch)
        #expect(try await results(of: model(vae: torch)) == whole)
        try FileManager.default.removeItem(at: decoder)
        let lone = #expect(throws: ModelError.self) { try model(vae: torch) }
        #expect("\(try #require(lone))".contains("put taesd_decoder.pth beside it"))
        try TinyFile(tensors: ["a.weight": [2, 2]], constants: [:]).write(to: decoder)
        let other = #expect(throws: ModelError.self) { try model(vae: torch) }
        #expect("\(try #require(other))".contains(decoder.path))
        // Both in one file.
        var both = TinyFile(tensors: [:], constants: [:])
        for name in ["encoder", "decoder"] {
            let half = try half(name)
            for (key, shape) in half.tensors {
                both.tensors["taesd_\(name).\(key)"] = shape
                both.given["taesd_\(name).\(key)"] = half.given[key]
            }
        }
        let file = folder.url.appending(path: "both.safetensors")
        try both.write(to: file)
        #expect(try await results(of: model(vae: file)) == whole)
        #expect(try FileInspection(of: file, hashes: false).kind == .autoencoder)
        let inspection = try FileInspection(of: torch, hashes: false)
        #expect(
            inspection.kind == .autoencoder && inspection.remarks.joined().contains("the encoder of TAESD"))
    }

    private struct Results: Equatable {
        let made: Image
        let changed: [Float]
    }

    /// A picture from noise, and the latents of one from another.
    private func results(of model: Model) async throws -> Results {
        var request = family.requests[0].request
        let made = try await model.picture(request).image
        (request.initImage, request.strength) = (picture, 0.5)
        return Results(made: made, changed: try await model.picture(request).latents.values)
    }

    private var picture: Image {
        let (width, height) = (72, 64)
        let pixels = (0..<width * height).flatMap { pixel -> [UInt8] in
            [UInt8(pixel % width * 3 % 256), UInt8(pixel / width * 2 % 256), 100]
        }
        return Image(width: width, height: height, pixels: pixels)
    }

    /// A half of the small autoencoder under its author's names, with the values of diffusers' names.
    private func half(_ name: String) throws -> TinyFile {
        var file = TinyFile(tensors: [:], constants: [:])
        let prefix = "\(name).layers."
        for (ours, shape) in try tensors("tiny") where ours.hasPrefix(prefix) {
            let rest = ours.dropFirst(prefix.count)
            let dot = try #require(rest.firstIndex(of: "."))
            let layer = try #require(Int(rest[..<dot]))
            let theirs = "\(layer + (name == "decoder" ? 1 : 0))\(rest[dot...])"
            file.tensors[theirs] = shape
            file.given[theirs] = TinyFile.values(of: ours, shape: shape)
        }
        return file
    }

    /// The preset's latents, decoded by the small autoencoder.
    @Test func itGoesWithThePresetForSpeed() async throws {
        var request = family.requests[0].request
        request.apply(.fast)
        let own = try await Model(
            at: folder.url.appending(path: "model.safetensors"), engine: OpenVINOEngine(threads: 1),
            precision: .float32, vocabulary: TinyFamily.vocabulary
        ).picture(request)
        let small = try model(vae: written(tensors("tiny")))
        let fast = try await small.picture(request)
        #expect(fast.latents == own.latents && fast.image != own.image)
        // One by one, the same settings are the same picture.
        var exact = family.requests[0].request
        (exact.steps, exact.sampler) = (12, "dpmpp-2m")
        let whole = try await small.picture(exact)
        #expect(whole.latents != fast.latents)
        exact.deepCache = DeepCache(interval: 3)
        #expect(try await small.picture(exact).image == fast.image)
    }

    @Test func aFolderSaysItsOwnScale() async throws {
        let component = folder.url.appending(path: "vae")
        try FileManager.default.createDirectory(at: component, withIntermediateDirectories: true)
        try TinyFile(tensors: tensors("tiny"), constants: [:])
            .write(to: component.appending(path: "diffusion_pytorch_model.safetensors"))
        let configuration = """
            {"_class_name": "AutoencoderTiny", "encoder_block_out_channels": [16, 16],
             "decoder_block_out_channels": [16, 16], "num_encoder_blocks": [1, 2], "num_decoder_blocks": [2, 1],
             "scaling_factor": 1.0}
            """
        try Data(configuration.utf8).write(to: component.appending(path: "config.json"))
        try await expectGoldenPicture("tiny", try model(vae: component))
        // A model's folder lends its own.
        let other = try model(vae: TinyModel.sd1.folder)
        let first = try await openModel(at: TinyModel.sd1.folder).picture(.quick(steps: 1))
        #expect(other.width > 0 && first.image.width == 64)
    }

    @Test func whatDoesNotFitIsNamed() throws {
        // M52: 16 channels, as Stable Diffusion 3 has.
        var wide = try tensors("tiny")
        wide["decoder.layers.0.weight"]?[1] = 16
        let file = try written(wide)
        let error = #expect(throws: ModelError.self) { try model(vae: file) }
        #expect("\(try #require(error))".contains("latent_channels 16 ("))
        let none = #expect(throws: ModelError.self) { try model(vae: written(["a.weight": [2, 2]])) }
        #expect("\(try #require(none))".contains("no autoencoder"))
        #expect(throws: FileError.self) { try model(vae: folder.url.appending(path: "missing")) }
    }

    /// Of both halves, before it is used with a model.
    @Test(arguments: [
        ("large", "decoder.norm_out.weight"), ("large", "encoder.conv_in.weight"),
        ("tiny", "decoder.layers.0.weight"), ("tiny", "encoder.layers.0.weight"),
    ])
    func inspectionNamesWhatDoesNotFit(_ name: String, _ tensor: String) throws {
        let whole = try FileInspection(of: written(tensors(name)), hashes: false)
        #expect(whole.kind == .autoencoder && whole.refusal == nil)
        var damaged = try tensors(name)
        damaged[tensor] = [1, 7]
        let refusal = try FileInspection(of: written(damaged), hashes: false).refusal
        #expect(try #require(refusal).contains("[1, 7]"))
        damaged[tensor] = nil
        #expect(try FileInspection(of: written(damaged), hashes: false).refusal != nil)
    }
}
