import Foundation
import Testing

@testable import Checkpoints

@Suite struct ModelFolderTests {
    private let folder: TemporaryFolder
    private static let index = """
        {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.6.0",
         "feature_extractor": [null, null], "requires_safety_checker": false, "safety_checker": [null, null],
         "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
         "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
         "vae": ["diffusers", "AutoencoderKL"]}
        """

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(Self.index, to: "model_index.json")
        try folder.write("{\"in_channels\": 4}", to: "unet/config.json")
        try folder.write("{\"lambda_min_clipped\": -Infinity}", to: "scheduler/scheduler_config.json")
        try folder.write("{}", to: "tokenizer/vocab.json")
    }

    private func model() throws -> ModelFolder { try ModelFolder(at: folder.url) }

    private func error(_ read: () throws -> some Any) -> ModelFolderError? {
        do {
            _ = try read()
            return nil
        } catch {
            return error as? ModelFolderError
        }
    }

    private func write(_ name: String) throws { try folder.write(safetensors(["w": [1]]), to: name) }

    @Test func readsTheIndex() throws {
        let model = try model()
        #expect(model.pipelineClass == "StableDiffusionPipeline")
        #expect(model.components.keys.sorted() == ["scheduler", "text_encoder", "tokenizer", "unet", "vae"])
        #expect(model.components["unet"] == .init(library: "diffusers", className: "UNet2DConditionModel"))
        #expect(try model.index.bool("requires_safety_checker") == false)
    }

    @Test func readsConfigurations() throws {
        let model = try model()
        #expect(try model.configuration("unet").integer("in_channels", in: 1...16) == 4)
        #expect(try model.configuration("scheduler").number("lambda_min_clipped", in: -.infinity...0) < 0)
        #expect(try model.file("tokenizer", "vocab.json").lastPathComponent == "vocab.json")
        #expect(model.hasFile("tokenizer", "vocab.json"))
        #expect(!model.hasFile("tokenizer", "merges.txt"))
    }

    @Test func saysWhatIsNotAModel() throws {
        let missing = folder.url.appending(path: "missing")
        #expect(error { try ModelFolder(at: missing) } == .missing(path: missing.path))
        let file = try folder.write("x", to: "model.ckpt")
        #expect(error { try ModelFolder(at: file) } == .notAFolder(path: file.path))
        #expect(error { try ModelFolder(at: file) }?.description.contains("layout of diffusers") == true)
        let inner = folder.url.appending(path: "unet")
        #expect(error { try ModelFolder(at: inner) } == .noIndex(path: inner.path))
        try folder.write("<html>", to: "model_index.json")
        #expect(throws: JSONError.self) { try model() }
        try folder.write("{}", to: "model_index.json")
        #expect(throws: ConfigurationError.self) { try model() }
        try folder.write("{\"_class_name\":\"P\",\"../unet\":[\"a\",\"b\"]}", to: "model_index.json")
        #expect(throws: ConfigurationError.self) { try model() }
    }

    @Test func saysWhatIsMissing() throws {
        let model = try model()
        guard
            case .missingComponent("text_encoder_2", _, let present)? = error({
                try model.configuration("text_encoder_2")
            })
        else {
            Issue.record("was found")
            return
        }
        #expect(present.contains("text_encoder"))
        let vae = folder.url.appending(path: "vae").path
        #expect(error { try model.configuration("vae") } == .missingComponentFolder("vae", path: vae))
        let tokenizer = folder.url.appending(path: "tokenizer").path
        #expect(
            error { try model.file("tokenizer", "merges.txt") }
                == .missingFile(component: "tokenizer", folder: tokenizer, lookedFor: ["merges.txt"]))
        guard case .missingFile(component: "unet", _, let names)? = error({ try model.checkpoint("unet") })
        else {
            Issue.record("was found")
            return
        }
        #expect(names.contains("diffusion_pytorch_model.safetensors"))
    }

    @Test func takesPickledWeightsWhereThereAreNoOthers() throws {
        let pickled = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Golden/checkpoints/archive.ckpt")
        let bytes = Array(try Data(contentsOf: pickled))
        try folder.write(bytes, to: "unet/diffusion_pytorch_model.bin")
        #expect(try model().checkpoint("unet").format == .torchArchive)
        try folder.write(bytes, to: "text_encoder/pytorch_model.fp16.bin")
        #expect(try model().checkpoint("text_encoder").format == .torchArchive)
        try write("unet/diffusion_pytorch_model.fp16.safetensors")
        #expect(try model().checkpoint("unet").format == .safetensors)
    }

    @Test(arguments: [
        ["diffusion_pytorch_model.safetensors"], ["model.safetensors"],
        ["diffusion_pytorch_model.fp16.safetensors"],
        ["model.fp16.safetensors"], ["model.fp16.safetensors", "model.non_ema.safetensors"],
        ["model.non_ema.safetensors"], ["model.safetensors", "model.fp16.safetensors", "pytorch_model.bin"],
    ])
    func choosesWeights(_ names: [String]) throws {
        for name in names { try write("unet/" + name) }
        let chosen = try model().checkpoint("unet").origin
        #expect((chosen as NSString).lastPathComponent == names[0])
    }

    @Test func choosesTheVariantAskedFor() throws {
        try write("unet/model.safetensors")
        try write("unet/model.fp16.safetensors")
        #expect(try model().checkpoint("unet", variant: "fp16").origin.hasSuffix("model.fp16.safetensors"))
        guard case .missingFile? = error({ try model().checkpoint("unet", variant: "bf16") }) else {
            Issue.record("was found")
            return
        }
    }

    @Test func asksWhichOfSeveralVariants() throws {
        try write("unet/model.ema.safetensors")
        try write("unet/model.non_ema.safetensors")
        guard case .severalVariants(_, ["ema", "non_ema"])? = error({ try model().checkpoint("unet") })
        else {
            Issue.record("one was chosen")
            return
        }
    }

    @Test(arguments: [
        "model.safetensors.index.json", "diffusion_pytorch_model.safetensors.index.json",
        "model.safetensors.index.fp16.json", "model.fp16.safetensors.index.json",
    ])
    func opensShardedWeights(_ name: String) throws {
        try write("unet/model.fp16-00001-of-00001.safetensors")
        try folder.write(
            "{\"weight_map\":{\"w\":\"model.fp16-00001-of-00001.safetensors\"}}", to: "unet/" + name)
        let checkpoint = try model().checkpoint("unet")
        #expect(checkpoint.origin.hasSuffix(name))
        #expect(checkpoint.names == ["w"])
    }

    @Test func followsLinks() throws {
        let cache = try TemporaryFolder()
        let blob = try cache.write(safetensors(["w": [1]]), to: "blobs/1234")
        let configuration = try cache.write("{\"in_channels\": 9}", to: "blobs/5678")
        let index = try cache.write(Self.index, to: "blobs/9abc")
        let snapshot = cache.url.appending(path: "snapshots/main")
        let manager = FileManager.default
        try manager.createDirectory(at: snapshot.appending(path: "unet"), withIntermediateDirectories: true)
        for (name, target) in [
            ("model_index.json", index), ("unet/config.json", configuration),
            ("unet/diffusion_pytorch_model.safetensors", blob),
        ] {
            try manager.createSymbolicLink(at: snapshot.appending(path: name), withDestinationURL: target)
        }
        let model = try ModelFolder(at: snapshot)
        #expect(try model.configuration("unet").integer("in_channels", in: 1...16) == 9)
        let checkpoint = try model.checkpoint("unet")
        _ = try checkpoint.map(additionalBytes: 0)
        #expect(checkpoint.names == ["w"])
    }
}
