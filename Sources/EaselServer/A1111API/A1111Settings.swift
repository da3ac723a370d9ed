import Checkpoints
import Easel
import Foundation
import HTTPTypes
import Imaging
import Sampling

/// What a request to `txt2img` or `img2img` asks for, in the server's own words.
struct A1111Settings: Sendable {
    let settings: JobSettings
    /// The names of the styles that were put to the prompts.
    let styles: [String]
    let batchSize: Int
    /// Whether the pictures are sent back.
    let sendsImages: Bool

    /// - Parameters:
    ///   - options: The server's, which the request may override.
    ///   - styles: Those that can be named.
    ///   - upload: Keeps a picture and gives its hash.
    /// - Throws: ``APIError``.
    init(
        _ fields: A1111Fields, options: A1111Options, styles table: [PromptStyle], isFromPicture: Bool,
        upload: (_ field: String, _ base64: String) async throws -> String
    ) async throws {
        let fields = try fields.filledFromInfotext()
        try Self.checkScripts(fields)
        let overrides = try fields.fields("override_settings")
        var settings = JobSettings(prompt: try fields.text("prompt") ?? "")
        settings.negativePrompt = try fields.text("negative_prompt")
        settings.profile = Profile.a1111.rawValue
        settings.model = try overrides.word("sd_model_checkpoint").map(A1111Models.name(ofTitle:))
        let vae = try overrides.text("sd_vae") ?? options.text("sd_vae")
        settings.vae = vae.flatMap(A1111Models.autoencoder(named:))
        let skip =
            try overrides.integer("CLIP_stop_at_last_layers") ?? options.integer("CLIP_stop_at_last_layers")
        settings.clipSkip = skip
        let source = try overrides.text("randn_source") ?? options.text("randn_source")
        settings.rng = (source == "CPU" ? RandomSource.torchCPU : .torchCUDA).rawValue
        settings.width = try fields.integer("width") ?? 512
        settings.height = try fields.integer("height") ?? 512
        settings.steps = try fields.integer("steps") ?? 50
        settings.guidanceScale = try fields.float("cfg_scale") ?? 7
        settings.seed = try fields.seed("seed")
        let sampler = try fields.word("sampler_name") ?? fields.word("sampler_index") ?? "Euler"
        (settings.sampler, settings.schedule) = try Self.sampler(sampler, schedule: fields.text("scheduler"))
        settings.eta = try fields.number("eta")
        let variation = try fields.number("subseed_strength") ?? 0
        if variation > 0 {
            settings.subseedStrength = variation
            settings.subseed =
                try fields.seed("subseed") ?? Seed(UInt64(UInt32.random(in: 0...UInt32.max)))
        }
        if try fields.flag("tiling") == true { settings.tiling = "xy" }
        batchSize = try fields.integer("batch_size") ?? 1
        let (count, isTooMany) = batchSize.multipliedReportingOverflow(by: try fields.integer("n_iter") ?? 1)
        guard !isTooMany else { throw A1111Fields.wrong("n_iter", "Input is too large") }
        settings.count = count
        settings.batchSize = batchSize
        styles = try fields.texts("styles")
        sendsImages = try fields.flag("send_images") ?? true
        var prompts = Request(prompt: settings.prompt, negativePrompt: settings.negativePrompt ?? "")
        // Unknown styles are passed over, as there.
        for name in styles { if let style = table.first(where: { $0.name == name }) { prompts.apply(style) } }
        (settings.prompt, settings.negativePrompt) = (prompts.prompt, prompts.negativePrompt)
        if isFromPicture {
            try await Self.addPicture(fields, to: &settings, upload)
        } else if try fields.flag("enable_hr") == true {
            settings.hires = try Self.secondPass(fields, settings)
        }
        self.settings = settings
    }

    /// The second pass at a larger size.
    private static func secondPass(_ fields: A1111Fields, _ settings: JobSettings) throws
        -> JobSettings.SecondPass
    {
        var scale = try fields.number("hr_scale") ?? 2
        if let width = try fields.integer("hr_resize_x"), width > 0 {
            scale = Double(width) / Double(max(settings.width ?? 512, 1))
        } else if let height = try fields.integer("hr_resize_y"), height > 0 {
            scale = Double(height) / Double(max(settings.height ?? 512, 1))
        }
        let name = try fields.text("hr_upscaler") ?? "Latent"
        guard A1111Upscalers.all.contains(name) else {
            throw APIError(.notFound, "unknown_upscaler", "Upscaler not found")
        }
        let steps = try fields.integer("hr_second_pass_steps") ?? 0
        return JobSettings.SecondPass(
            scale: scale, strength: try fields.number("denoising_strength") ?? 0.75,
            steps: steps > 0 ? steps : nil, upscaler: name.hasPrefix("Latent") ? "latent" : "image")
    }

    private static func addPicture(
        _ fields: A1111Fields, to settings: inout JobSettings,
        _ upload: (_ field: String, _ base64: String) async throws -> String
    ) async throws {
        guard let first = try fields.texts("init_images").first else {
            throw APIError(.notFound, "no_init_image", "Init image not found")
        }
        settings.initImage = try await upload("init_images", first)
        settings.strength = try fields.number("denoising_strength") ?? 0.75
        let resizing = ["stretch", "crop", "pad", "stretch"]
        let mode = try fields.integer("resize_mode") ?? 0
        guard resizing.indices.contains(mode) else {
            throw A1111Fields.wrong("resize_mode", "Input should be from 0 to 3")
        }
        settings.resize = resizing[mode]
        guard let mask = try fields.text("mask") else { return }
        settings.mask = try await upload("mask", mask)
        settings.maskBlur = try fields.number("mask_blur") ?? fields.number("mask_blur_x") ?? 4
        settings.maskInvert = try fields.integer("inpainting_mask_invert") == 1
        let fills = ["blur", "original", "noise", "noise"]
        let fill = try fields.integer("inpainting_fill") ?? 0
        guard fills.indices.contains(fill) else {
            throw A1111Fields.wrong("inpainting_fill", "Input should be from 0 to 3")
        }
        settings.fill = fills[fill]
        if try fields.flag("inpaint_full_res") ?? true {
            settings.onlyMaskedPadding = try fields.integer("inpaint_full_res_padding") ?? 0
        }
    }

    /// A sampler and a schedule as AUTOMATIC1111 names them; old names have both in one.
    static func sampler(_ name: String, schedule: String?) throws -> (sampler: String, schedule: String?) {
        let label = schedule.flatMap { ["automatic", ""].contains($0.lowercased()) ? nil : $0 }
        do {
            let found = try SamplerCatalogue.named(name, schedule: label)
            return (found.sampler.label, found.schedule?.name)
        } catch SamplingError.unknownSchedule {
            throw APIError(.notFound, "unknown_scheduler", "Scheduler not found")
        } catch {
            throw APIError(.notFound, "unknown_sampler", "Sampler not found")
        }
    }

    /// Scripts change what a request means, so that one that is not there is refused, as it is there.
    private static func checkScripts(_ fields: A1111Fields) throws {
        if let script = try fields.text("script_name"), !script.isEmpty, script != "None" {
            throw APIError(.unprocessableContent, "unknown_script", "Script '\(script.prefix(80))' not found")
        }
        for script in try fields.fields("alwayson_scripts").members {
            // Clients name those that do nothing, too.
            let arguments = script.value.objectValue?["args"]?.arrayValue ?? []
            let isIdle = arguments.isEmpty || arguments.allSatisfy { $0.isNull || $0 == .bool(false) }
            guard isIdle else {
                throw APIError(
                    .unprocessableContent, "unknown_script",
                    "always on script \(script.key.prefix(80)) not found")
            }
        }
    }
}

extension A1111Fields {
    /// With what a picture's text says of the fields that are absent.
    fileprivate func filledFromInfotext() throws -> A1111Fields {
        guard let text = try text("infotext"), let said = GenerationMetadata(parameters: text) else {
            return self
        }
        var filled = JSONObject()
        for member in members { _ = filled.append(member.value, for: member.key) }
        func fill(_ name: String, _ value: JSONValue?) {
            if !has(name), let value { filled = filled.with(name, value) }
        }
        fill("prompt", .string(said.prompt))
        fill("negative_prompt", .string(said.negativePrompt))
        fill("steps", JSONValue(said.steps))
        fill("cfg_scale", .number(JSONNumber(Double(said.guidanceScale))))
        fill("seed", .string(String(said.seed)))
        fill("sampler_name", .string(said.sampler))
        fill("scheduler", said.schedule.map { .string($0) })
        fill("width", JSONValue(said.width))
        fill("height", JSONValue(said.height))
        fill("denoising_strength", said.strength.map { .number(JSONNumber($0)) })
        return A1111Fields(filled)
    }
}

/// How pictures are made larger, by AUTOMATIC1111's names.
enum A1111Upscalers {
    static let pictures = ["None", "Lanczos", "Nearest"]
    static let latents = [
        "Latent", "Latent (antialiased)", "Latent (bicubic)", "Latent (bicubic antialiased)",
        "Latent (nearest)", "Latent (nearest-exact)",
    ]
    static var all: [String] { pictures + latents }
}

/// How AUTOMATIC1111 calls models.
enum A1111Models {
    /// `name.safetensors [0123456789]` and `name [0123456789]` are the model `name`.
    static func name(ofTitle title: String) -> String {
        var name = title
        if name.hasSuffix("]"), let start = name.lastIndex(of: "[") {
            name = name[..<start].trimmingCharacters(in: .whitespaces)
        }
        for ending in [".safetensors", ".ckpt", ".gguf"] where name.hasSuffix(ending) {
            name = String(name.dropLast(ending.count))
        }
        return name
    }

    /// `name.safetensors` and `name` are the autoencoder `name`; nil is the model's own.
    static func autoencoder(named name: String) -> String? {
        if ["Automatic", "None", ""].contains(name) { return nil }
        let endings = [".safetensors", ".ckpt", ".gguf", ".pt", ".pth", ".bin", ".sft"]
        let ending = endings.first { name.hasSuffix($0) } ?? ""
        return String(name.dropLast(ending.count))
    }
}
