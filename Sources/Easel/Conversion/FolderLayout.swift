import Checkpoints
import Conditioning
import Foundation
import TensorGraph

/// A model as a folder in diffusers' layout.
struct FolderLayout {
    private let components: ModelComponents
    private let parts: ModelParts

    init(_ components: ModelComponents, _ parts: ModelParts) {
        self.components = components
        self.parts = parts
    }

    /// Writes the folder beside its place, and moves it there when it is whole.
    func write(to target: URL, numbers: NumberType?) throws {
        let output = try UnfinishedOutput(of: target, isFolder: true)
        try writeFiles(to: output.place, numbers)
        try output.finish()
    }

    private func writeFiles(to folder: URL, _ numbers: NumberType?) throws {
        var index: JSONObject = [
            "_class_name": .string(pipelineClass), "_diffusers_version": "0.30.0",
        ]
        func add(_ name: String, _ library: String, _ className: String) throws -> URL {
            index = index.with(name, [.string(library), .string(className)])
            let own = folder.appending(path: name)
            try FileManager.default.createDirectory(at: own, withIntermediateDirectories: false)
            return own
        }
        let scheduler = try components.scheduler.string("_class_name", default: "PNDMScheduler")
        try Self.write(
            components.scheduler.members.with("_class_name", .string(scheduler)),
            to: try add("scheduler", "diffusers", scheduler).appending(path: "scheduler_config.json"))
        for (place, encoder) in components.textEncoders.enumerated() {
            let suffix = suffix(place)
            let tensors = TextEncoderTensors(encoder.weights)
            let className =
                tensors.projection == nil || !parts.textEncoders[place].pools
                ? "CLIPTextModel" : "CLIPTextModelWithProjection"
            let own = try add("text_encoder" + suffix, "transformers", className)
            let configuration = encoder.configuration.members.with("architectures", [.string(className)])
            try Self.write(configuration, to: own.appending(path: "config.json"))
            try SafetensorsWriter(
                [(encoder.weights, Self.tensors(tensors, projects: className != "CLIPTextModel"))],
                numbers: numbers, metadata: ["format": "pt"]
            ).write(to: own.appending(path: "model.safetensors"))
            let tokenizer = try add("tokenizer" + suffix, "transformers", "CLIPTokenizer")
            try CLIPTokenizer.writeFiles(
                of: components.tokenizerSources[place].url,
                padsWithFirst: components.tokenizerSources[place].padsWithFirst, to: tokenizer)
        }
        for (name, className, component) in [
            ("unet", "UNet2DConditionModel", components.unet),
            ("vae", "AutoencoderKL", components.autoencoder),
        ] {
            let given = try component.configuration.string("_class_name", default: className)
            let own = try add(name, "diffusers", given)
            try Self.write(
                component.configuration.members.with("_class_name", .string(given)),
                to: own.appending(path: "config.json"))
            let tensors = component.weights.names.sorted().map { name in
                PlannedTensor(
                    name, shape: component.weights.entry(named: name)?.shape ?? [], sources: [name])
            }
            try SafetensorsWriter(
                [(component.weights, tensors)], numbers: numbers, metadata: ["format": "pt"]
            ).write(to: own.appending(path: "diffusion_pytorch_model.safetensors"))
        }
        if parts.unet.addition != nil {
            index = index.with("force_zeros_for_empty_prompt", .bool(components.zeroesEmptyPrompt))
            if parts.textEncoders.count == 1 { index = index.with("requires_aesthetics_score", true) }
        } else {
            index = index.with("safety_checker", [nil, nil]).with("feature_extractor", [nil, nil])
                .with("requires_safety_checker", false)
        }
        try Self.write(index, to: folder.appending(path: "model_index.json"))
    }

    /// Of the components of one of several text encoders; the refiner has the second alone.
    private func suffix(_ place: Int) -> String {
        let isRefiner = parts.unet.addition != nil && parts.textEncoders.count == 1
        return place == 1 || isRefiner ? "_2" : ""
    }

    /// diffusers' pipeline, as what the U-Net sees asks for.
    private var pipelineClass: String {
        let isXL = parts.unet.addition != nil
        let start = isXL ? "StableDiffusionXL" : "StableDiffusion"
        switch parts.sight {
        case .maskedPicture: return start + "InpaintPipeline"
        case .picture: return start + "InstructPix2PixPipeline"
        case .depth: return "StableDiffusionDepth2ImgPipeline"
        case nil:
            if isXL, parts.textEncoders.count == 1 { return "StableDiffusionXLImg2ImgPipeline" }
            let isDistilled = !isXL && parts.unet.guidanceEncodingWidth != nil
            return isDistilled ? "LatentConsistencyModelPipeline" : start + "Pipeline"
        }
    }

    private static func tensors(_ encoder: TextEncoderTensors, projects: Bool) -> [PlannedTensor] {
        var planned = encoder.sources.sorted { $0.key < $1.key }.map { name, source in
            PlannedTensor(name, shape: encoder.shape(name), sources: [source])
        }
        if projects, let own = encoder.plannedProjection("text_projection.weight", asOpenCLIP: false) {
            planned.append(own)
        }
        return planned
    }

    private static func write(_ object: JSONObject, to file: URL) throws {
        try Data(JSONValue.object(object).text.utf8).write(to: file)
    }
}
