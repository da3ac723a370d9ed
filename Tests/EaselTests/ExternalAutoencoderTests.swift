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
}
