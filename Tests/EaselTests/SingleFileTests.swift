import Checkpoints
import Conditioning
import Easel
import Foundation
import Imaging
import OpenVINOEngine
import Sampling
import TensorGraph
import Testing

@Suite("Models in one file")
struct SingleFileTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func opened(_ file: URL) throws -> Model {
        try Model(
            at: file, engine: OpenVINOEngine(threads: 1), precision: .float32,
            vocabulary: TinyFamily.vocabulary)
    }

    @Test(arguments: [
        "sd1", "sd2", "xl", "sd1-inpainting", "sd1-editing", "sd1-distilled", "sd1-lcm", "sd2-velocity",
        "sd2-depth", "xl-inpainting", "xl-distilled", "xl-refiner",
    ])
    func latentsAreDiffusers(_ name: String) async throws {
        let family = try TinyFamily(name)
        // The ending says nothing.
        let file = folder.url.appending(path: "\(name).anything")
        try family.write(to: file)
        let model = try opened(file)
        #expect(model.name == name && !family.requests.isEmpty)
        for index in family.requests.indices {
            let picture = try await model.picture(family.request(index))
            let golden = try GoldenPipelineTests.floats("latents.\(index)", in: family.golden)
            let difference = largestDifference(golden, picture.latents.values)
            #expect(difference <= 2e-3, "\(name), request \(index): latents differ by \(difference)")
            guard index == 0 else { continue }
            // [3, height, width] in −1…1, to pixels.
            let decoded = try GoldenPipelineTests.floats("picture.0", in: family.golden)
            let plane = decoded.count / 3
            let pixels = (0..<plane).flatMap { place in
                (0..<3).map { UInt8((decoded[$0 * plane + place] * 127.5 + 127.5).rounded()) }
            }
            #expect(largestDifference(pixels, picture.image.pixels) <= 1)
        }
    }

    @Test func quantizedFilesAreNearlyTheSame() async throws {
        let family = try TinyFamily("sd1")
        let file = folder.url.appending(path: "quantized.gguf")
        try TinyFile(tensors: family.tensors, constants: [:]).writeGGUF(to: file)
        let picture = try await opened(file).picture(family.requests[0].request)
        let golden = try GoldenPipelineTests.floats("latents.0", in: family.golden)
        let difference = largestDifference(golden, picture.latents.values)
        let size = golden.map(abs).max() ?? 0
        #expect(difference > 0 && difference < size / 10, "latents up to \(size) differ by \(difference)")
    }

    /// The names that stable-diffusion.cpp gave tensors until 2026, and gives them with `--convert-name`.
    @Test(arguments: [
        ("xl", "conditioner.embedders.1.model."), ("xl-refiner", "conditioner.embedders.0.model."),
        ("sd2", "cond_stage_model.model."),
    ])
    func stableDiffusionCppsNamesAreTheSame(_ name: String, _ prefix: String) async throws {
        let family = try TinyFamily(name)
        let file = folder.url.appending(path: "\(name).gguf")
        let place =
            name == "xl"
            ? "cond_stage_model.1.transformer.text_model." : "cond_stage_model.transformer.text_model."
        let names = [
            "positional_embedding": "embeddings.position_embedding.weight",
            "ln_final.weight": "final_layer_norm.weight",
            "ln_final.bias": "final_layer_norm.bias",
            "token_embedding.weight": "embeddings.token_embedding.weight",
            "text_projection": "text_projection",
        ]
        let layers = [
            "attn.in_proj_": "self_attn.in_proj.", "attn.out_proj": "self_attn.out_proj",
            "ln_1": "layer_norm1",
            "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
        ]
        try TinyFile(tensors: family.tensors, constants: [:]).writeGGUF(to: file, quantizes: false) {
            theirs in
            if theirs.hasPrefix("first_stage_model.") {
                return theirs.replacing("first_stage_model.", with: "vae.")
            }
            if theirs.hasPrefix("conditioner.embedders.0.transformer.") {
                return theirs.replacing("conditioner.embedders.0.", with: "cond_stage_model.")
            }
            guard theirs.hasPrefix(prefix) else { return theirs }
            let rest = String(theirs.dropFirst(prefix.count))
            if rest == "logit_scale" { return "cond_stage_model.1.model.logit_scale" }
            if let own = names[rest] { return place + own }
            guard rest.hasPrefix("transformer.resblocks.") else { return place + rest }
            let own = layers.reduce(rest.replacing("transformer.resblocks.", with: "encoder.layers.")) {
                $0.replacing($1.key, with: $1.value)
            }
            return place + own
        }
        let inspection = try FileInspection(of: file, vocabulary: TinyFamily.vocabulary, hashes: false)
        #expect(inspection.refusal == nil, "\(inspection.refusal ?? "")")
        let picture = try await opened(file).picture(family.request())
        let golden = try GoldenPipelineTests.floats("latents.0", in: family.golden)
        #expect(largestDifference(golden, picture.latents.values) <= 2e-3)
    }

    /// A file of `torch.save` gives the bytes that the same tensors in a safetensors file give.
    @Test(arguments: ["sd1", "xl"]) func picturesOfTorchFilesAreTheSame(_ name: String) async throws {
        let family = try TinyFamily(name)
        let (plain, pickled) = (
            folder.url.appending(path: "a.safetensors"), folder.url.appending(path: "a.ckpt")
        )
        try family.write(to: plain)
        try TinyFile(tensors: family.tensors, constants: [:]).writeTorch(to: pickled)
        let (one, other) = (try opened(plain), try opened(pickled))
        let wanted = try await one.picture(family.request())
        let picture = try await other.picture(family.request())
        #expect(picture.latents.values == wanted.latents.values && picture.image == wanted.image)
    }

    @Test(arguments: ["euler", "lcm", "tcd"])
    func timestepsCanBeGiven(_ sampler: String) async throws {
        let family = try TinyFamily("sd1")
        let file = folder.url.appending(path: "model.safetensors")
        try family.write(to: file)
        let model = try opened(file)
        var request = family.requests[0].request
        request.sampler = sampler
        request.timesteps = [999, 749, 500, 1]
        // diffusers' pipeline tells its schedulers so.
        if sampler == "tcd" { request.eta = 0 }
        let picture = try await model.picture(request)
        let golden = try GoldenPipelineTests.floats("latents.\(sampler)", in: family.golden)
        #expect(largestDifference(golden, picture.latents.values) <= 2e-3)
        let again = try Request(GenerationRecord(json: picture.record.json))
        #expect(again.timesteps == request.timesteps)
        for wrong in [[], [1000], [5, 5], [-1], [1, 2]] {
            request.timesteps = wrong
            await #expect(throws: SamplingError.self, "\(wrong)") { try await model.picture(request) }
        }
        (request.sampler, request.timesteps) = ("ddim", [5])
        await #expect(throws: SamplingError.self) { try await model.picture(request) }
    }

    @Test func modelsOfXLAreToldSizes() async throws {
        let family = try TinyFamily("xl")
        let file = folder.url.appending(path: "xl.safetensors")
        try family.write(to: file)
        let model = try opened(file)
        var request = family.requests[0].request
        request.sizeConditioning.originalSize = PixelSize(width: 90, height: 40)
        request.sizeConditioning.crop = .init(left: 16, top: 8)
        request.sizeConditioning.targetSize = PixelSize(width: 256, height: 128)
        let picture = try await model.picture(request)
        let golden = try GoldenPipelineTests.floats("latents.sizes", in: family.golden)
        #expect(largestDifference(golden, picture.latents.values) <= 2e-3)
        let again = try Request(GenerationRecord(json: picture.record.json))
        #expect(again.sizeConditioning == request.sizeConditioning)
        request.sizeConditioning.crop.left = -1
        await #expect(throws: RequestError.self) { try await model.picture(request) }
    }

    @Test func whatVelocityModelsAreIsSeen() throws {
        for (name, side, prediction) in [
            ("sd2-velocity", 96, "v_prediction"), ("sd2", 64, "epsilon"), ("xl", 128, "epsilon"),
        ] {
            let family = try TinyFamily(name)
            let file = folder.url.appending(path: "\(name).safetensors")
            try family.write(to: file)
            let model = try opened(file)
            #expect(model.width == side * 2, "\(name)")
            #expect(model.predictionType.rawValue == prediction, "\(name)")
        }
        // A mark of other programs, which has no values.
        let file = folder.url.appending(path: "marked.safetensors")
        try TinyFamily("xl").write(to: file, adding: ["v_pred": [0], "ztsnr": [0]])
        #expect(try opened(file).predictionType == .vPrediction)
    }

    @Test func modelsThatEditNeedAPicture() async throws {
        let file = folder.url.appending(path: "editing.safetensors")
        try TinyFamily("sd1-editing").write(to: file)
        let model = try opened(file)
        let missing = await #expect(throws: RequestError.self) { try await model.picture(.quick()) }
        #expect("\(try #require(missing))".contains("--init-image"))
        var request = Request.quick()
        request.initImage = Image(width: 64, height: 64, pixels: Array(repeating: 90, count: 3 * 64 * 64))
        let weak = try await model.picture(request).latents.values
        request.imageGuidanceScale = 1.5
        #expect(try await model.picture(request).latents.values == weak)
        request.imageGuidanceScale = 3
        #expect(try await model.picture(request).latents.values != weak)
        request.inpainting = Inpainting(mask: Mask(width: 1, height: 1, values: [255]))
        await #expect(throws: RequestError.self) { try await model.picture(request) }
        request.inpainting = nil
        request.depthMap = request.initImage
        let unseen = await #expect(throws: RequestError.self) { try await model.picture(request) }
        #expect("\(try #require(unseen))".contains("a depth map is not possible with editing"))
        var other = Request.quick()
        other.imageGuidanceScale = 2
        let unknown = await #expect(throws: RequestError.self) {
            try await TinyModel.sd1.opened().picture(other)
        }
        #expect("\(try #require(unknown))".contains("an image guidance scale is not possible"))
    }

    private func problem(
        _ name: String, adding: [String: [Int]] = [:], leavingOut: (String) -> Bool = { _ in false }
    )
        throws -> String
    {
        let file = folder.url.appending(path: "damaged.safetensors")
        try TinyFamily(name).write(to: file, adding: adding, leavingOut: leavingOut)
        let error = #expect(throws: ModelError.self) { try opened(file) }
        let text = "\(try #require(error))"
        #expect(text.contains("damaged.safetensors"))
        return text
    }

    @Test func partsThatAreNotThereAreNamed() throws {
        for (prefix, what) in [
            ("model.diffusion_model.", "no U-Net"), ("first_stage_model.", "no autoencoder"),
            ("cond_stage_model.", "no text encoder"),
            ("model.diffusion_model.input_blocks.0.", "input_blocks.0.0"),
        ] {
            #expect(try problem("sd1", leavingOut: { $0.hasPrefix(prefix) }).contains(what))
        }
    }

    @Test func otherFamiliesAreNamed() throws {
        for (tensor, what) in [
            ("model.diffusion_model.joint_blocks.0.x", "Stable Diffusion 3"),
            ("model.diffusion_model.double_blocks.0.x", "Flux"), ("noise_augmentor.x", "unCLIP"),
            ("cond_stage_model.model.visual.x", "image variations"), ("control_model.x", "ControlNet"),
            ("edm_mean", "noise levels of its own"),
            ("model.diffusion_model.label_emb.0.0.weight", "upscaler"),
        ] {
            #expect(try problem("sd1", adding: [tensor: [1, 1]]).contains(what))
        }
    }

    @Test func distilledModelsAskForFewSteps() async throws {
        let file = folder.url.appending(path: "sd_turbo-v2.safetensors")
        try TinyFamily("sd2").write(to: file)
        let model = try opened(file)
        var request = Request.quick(steps: 20)
        request.guidanceScale = 7.5
        let warning = Easel.Warning.distilledModel(word: "turbo", steps: 20, guidanceScale: 7.5)
        #expect(try await model.events(request).warnings == [warning])
        (request.steps, request.guidanceScale) = (2, 1)
        #expect(try await model.events(request).warnings.isEmpty)
        #expect(
            try FileInspection(of: file, vocabulary: TinyFamily.vocabulary, hashes: false).remarks
                == ["its name says turbo: made for 1 step of euler-ancestral at a guidance scale of 1"])
    }

    @Test func foldersOfOtherFamiliesAreNamed() throws {
        for (parts, what) in [
            (["unet", "vae", "image_encoder"], "image variations"), (["transformer", "vae"], "transformer"),
            (["unet", "vae", "text_encoder", "low_res_scheduler"], "upscaler"),
            (["unet", "vae", "text_encoder", "image_normalizer"], "unCLIP"),
        ] {
            let members = parts.map { "\"\($0)\": [\"a\", \"B\"]" }.joined(separator: ", ")
            try Data("{\"_class_name\": \"OtherPipeline\", \(members)}".utf8)
                .write(to: folder.url.appending(path: "model_index.json"))
            let error = #expect(throws: ModelError.self) { try opened(folder.url) }
            #expect("\(try #require(error))".contains(what))
        }
    }

    @Test func networksAloneAreNamed() throws {
        for (name, what) in [
            ("model.diffusion_model.input_blocks.0.0.weight", "U-Net alone, under CompVis'"),
            ("unet.conv_in.weight", "U-Net alone, under diffusers'"),
            ("cond_stage_model.transformer.text_model.encoder.x", "text encoder alone"),
        ] {
            let file = folder.url.appending(path: "alone.safetensors")
            let short = name.replacing("model.diffusion_model.", with: "").replacing("unet.", with: "")
                .replacing("cond_stage_model.transformer.", with: "")
            try TinyFile(tensors: [short: [1], "down_blocks.0.x": [1]], constants: [:]).write(to: file)
            let error = #expect(throws: ModelError.self) { try opened(file) }
            #expect("\(try #require(error))".contains(what))
            #expect(try #require(FileInspection(of: file).refusal).contains(what))
        }
    }

    @Test func aWeightTooFewOrTooManyIsNamed() async throws {
        let family = try TinyFamily("sd1")
        let file = folder.url.appending(path: "damaged.safetensors")
        let name = "model.diffusion_model.middle_block.1.proj_in.weight"
        let other = "model.diffusion_model.middle_block.9.weight"
        for (adding, leavingOut, line) in [
            ([:], name, "\(name): missing, expected shape [64, 64, 1, 1]"),
            ([other: [1]], "", "\(other): not part of the network, has shape [1]"),
            ([name: [64, 64, 3, 3]], "", "\(name): expected shape [64, 64, 1, 1], has [64, 64, 3, 3]"),
        ] as [([String: [Int]], String, String)] {
            try family.write(to: file, adding: adding, leavingOut: { $0 == leavingOut })
            let model = try opened(file)
            let error = await #expect(throws: GraphError.self) { try await model.picture(.quick()) }
            let text = "\(try #require(error))"
            #expect(text.contains(line) && text.contains(file.path), "\(text)")
        }
    }

    /// What a network's sizes are read from may be missing or be of another shape itself.
    @Test(arguments: [
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight",
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight",
    ])
    func aWeightThatSaysASizeIsNamedToo(_ name: String) throws {
        let file = folder.url.appending(path: "damaged.safetensors")
        let last = name.split(separator: ".").dropLast().last ?? ""
        for shape in [nil, [], [7, 5]] {
            try TinyFamily("sd1").write(
                to: file, adding: shape.map { [name: $0] } ?? [:], leavingOut: { $0 == name && shape == nil })
            let inspection = try FileInspection(of: file, vocabulary: TinyFamily.vocabulary, hashes: false)
            let refusal = try #require(inspection.refusal)
            #expect(refusal.contains(".\(last).weight"), "\(String(describing: shape)): \(refusal)")
        }
    }

    /// The vocabulary that the set-up installs is OpenAI's.
    @Test func theInstalledVocabularyIsCLIPs() throws {
        let root = TinyModel.golden.appending(path: "../../.clip/bpe_simple_vocab_16e6.txt")
        let tokenizer = try CLIPTokenizer(vocabulary: root, padsWithFirst: false)
        #expect(tokenizer.tokenCount == 49408 && tokenizer.startToken == 49406 && tokenizer.endToken == 49407)
        #expect(
            tokenizer.encode("a photo of an astronaut riding a horse on mars") == [
                320, 1125, 539, 550, 18376, 6765, 320, 4558, 525, 7496,
            ])
        #expect(tokenizer.paddingToken == 49407)
        #expect(try CLIPTokenizer(vocabulary: root, padsWithFirst: true).paddingToken == 0)
        // Without a vocabulary named, it is the one that is taken.
        let file = folder.url.appending(path: "a.safetensors")
        try TinyFamily("sd1").write(to: file)
        let error = #expect(throws: TokenizerError.self) {
            try Model(at: file, engine: OpenVINOEngine(threads: 1))
        }
        guard case .tooFewEmbeddings(49408, 714, let tokenizer, file.path)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(tokenizer.hasSuffix("bpe_simple_vocab_16e6.txt") && "\(error!)".contains(tokenizer))
    }
}
