import Conditioning
import Easel
import EaselHub
import Foundation
import Imaging
import Sampling

/// What the names in settings are names of.
struct SettingsResolver: Sendable {
    let store: ModelStore
    /// The picture of a hash, laid over a backdrop: one that was handed in, or one of the gallery; nil where there is none, an
    /// error where its file cannot be read.
    let image: @Sendable (_ id: String, _ backdrop: Backdrop) throws -> Image?
}

extension JobSettings {
    /// The request that the settings are.
    ///
    /// - Parameter model: Whose own settings of sampling count where nothing else is asked for.
    /// - Throws: ``APIError`` that names the field, where a word means nothing or a name is of nothing.
    func request(_ resolver: SettingsResolver, for model: Model? = nil) throws -> Request {
        var request = Request(prompt: prompt, negativePrompt: negativePrompt ?? "")
        if let profile { request.imitate(try Self.word("profile", profile, Profile.self)) }
        (request.width, request.height) = (width, height)
        request.guidanceRescale = guidanceRescale ?? 0
        request.seed = seed?.value
        request.rho = rho
        request.count = count ?? 1
        request.batchSize = batchSize ?? 1
        request.clipSkip = clipSkip ?? 1
        if let promptSyntax {
            request.promptSyntax = try Self.word("prompt_syntax", promptSyntax, PromptSyntax.self)
        }
        if let emphasis { request.emphasis = try Self.word("emphasis", emphasis, Emphasis.self) }
        if let rng { request.randomSource = try Self.word("rng", rng, RandomSource.self) }
        request.tiling = try tiling.map { try Self.word("tiling", $0, Tiling.self) }
        if subseed != nil || subseedStrength != nil {
            request.variation = NoiseVariation(
                subseed: subseed?.value ?? request.seed ?? 0, strength: subseedStrength ?? 0)
        }
        request.loras = try (loras ?? []).map { lora in
            guard let file = resolver.store.file(named: lora.name, kind: .lora) else {
                throw APIError.invalid("loras", "there is no LoRA \"\(lora.name)\"")
            }
            return LoRA(
                path: file.path, weight: lora.weight ?? 1, textEncoderWeight: lora.textEncoderWeight)
        }
        request.loraFolders = resolver.store.folders(of: .lora)
        request.embeddingFolders = resolver.store.folders(of: .embedding)
        if let hires {
            request.highResolution = HighResolution(
                scale: hires.scale ?? 2, strength: hires.strength ?? 0.7, steps: hires.steps,
                upscaler: try hires.upscaler.map {
                    try Self.word("hires.upscaler", $0, HighResolution.Upscaler.self)
                } ?? .latent)
        }
        request.deepCache = try cache.map { text in
            guard let cache = DeepCache(text) else {
                throw APIError.invalid(
                    "cache", "cache \"\(text)\" is not possible: it must be deep or deep:N")
            }
            return cache
        }
        request.tokenMergingRatio = tokenMerging ?? 0
        let interval = previewInterval ?? 1
        request.previewInterval = interval == 0 ? nil : interval
        try applyPictures(to: &request, resolver)
        if let model {
            var defaults = model.defaults(for: request)
            // What goes with the sampler of the defaults alone.
            if sampler != nil { (defaults.timesteps, defaults.eta) = (nil, nil) }
            if steps != nil { defaults.timesteps = nil }
            let large = request.highResolution
            request.apply(defaults)
            if steps != nil { request.highResolution = large }
            if sampler != nil { request.schedule = nil }
        }
        request.schedule = schedule ?? request.schedule
        request.steps = steps ?? request.steps
        request.guidanceScale = guidanceScale ?? request.guidanceScale
        request.sampler = sampler ?? request.sampler
        request.eta = eta ?? request.eta
        if let timestepSpacing {
            request.timestepSpacing = try Self.word("timestep_spacing", timestepSpacing, TimestepSpacing.self)
        }
        return request
    }

    /// With what a job's speed depends on filled in, as its request has it.
    func completed(by request: Request, _ model: Model) -> JobSettings {
        var settings = self
        settings.width = request.width ?? model.width
        settings.height = request.height ?? model.height
        settings.steps = request.steps
        settings.guidanceScale = request.guidanceScale
        settings.sampler = request.sampler
        return settings
    }

    private func applyPictures(to request: inout Request, _ resolver: SettingsResolver) throws {
        request.strength = strength ?? request.strength
        request.resize = try resize.map { try Self.word("resize", $0, Resizing.self) } ?? request.resize
        guard let initImage else {
            for (field, isGiven) in [("mask", mask != nil), ("extend", extend != nil)] where isGiven {
                throw APIError.invalid(field, "\(field) needs a picture to start from: init_image")
            }
            return
        }
        func image(_ field: String, _ id: String, over backdrop: Backdrop = .white) throws -> Image {
            guard PictureFiles.isIdentifier(id), let image = try resolver.image(id, backdrop) else {
                throw APIError.invalid(field, "there is no picture of that id: hand it in at /api/v1/uploads")
            }
            return image
        }
        let picture = try image("init_image", initImage)
        request.initImage = picture
        if let extend {
            let sides = Outpainting(
                left: extend.left ?? 0, right: extend.right ?? 0, top: extend.top ?? 0,
                bottom: extend.bottom ?? 0)
            for side in [sides.left, sides.right, sides.top, sides.bottom]
            where !(0...2048).contains(side) {
                throw APIError.invalid("extend", "extend \(side) is not possible: it must be from 0 to 2048")
            }
            if sides != Outpainting() { request.outpainting = sides }
        }
        guard mask != nil || request.outpainting != nil else { return }
        // Without a mask, what is painted beyond the edges is all that is made anew.
        let black = Mask(
            width: picture.width, height: picture.height,
            values: Array(repeating: 0, count: picture.width * picture.height))
        request.inpainting = Inpainting(
            mask: try mask.map { Mask(try image("mask", $0, over: .black)) } ?? black,
            maskBlur: maskBlur ?? 0,
            invertsMask: mask != nil && maskInvert == true,
            fill: try fill.map { try Self.word("fill", $0, Inpainting.Fill.self) } ?? .original,
            onlyMaskedPadding: onlyMaskedPadding, composite: composite ?? true)
    }

    private static func word<Value: RawRepresentable & CaseIterable>(
        _ field: String, _ text: String, _ type: Value.Type
    ) throws -> Value where Value.RawValue == String {
        if let value = Value(rawValue: text) { return value }
        let all = Value.allCases.map(\.rawValue).joined(separator: ", ")
        throw APIError.invalid(field, "\(field) \"\(text)\" is not possible: it must be one of \(all)")
    }

    /// The settings of a picture's file; nil where it carries none that are read.
    init?(_ notes: PictureNotes) {
        if let json = notes.record, let record = try? GenerationRecord(json: json),
            let request = try? Request(record)
        {
            self.init(request, strength: record.strength)
            model = record.model
        } else if let metadata = notes.parameters.flatMap({ GenerationMetadata(parameters: $0) }),
            let request = try? Request(metadata)
        {
            self.init(request, strength: metadata.strength)
            model = metadata.model
        } else {
            return nil
        }
    }

    /// A request's settings, without the pictures that it starts from.
    private init(_ request: Request, strength: Double?) {
        self.init(prompt: request.prompt)
        if !request.negativePrompt.isEmpty { negativePrompt = request.negativePrompt }
        (width, height, steps) = (request.width, request.height, request.steps)
        guidanceScale = request.guidanceScale
        if request.guidanceRescale != 0 { guidanceRescale = request.guidanceRescale }
        seed = request.seed.map { Seed($0) }
        (sampler, schedule, rho, eta) = (request.sampler, request.schedule, request.rho, request.eta)
        timestepSpacing = request.timestepSpacing?.rawValue
        if request.clipSkip != 1 { clipSkip = request.clipSkip }
        if request.profile != .diffusers { profile = request.profile.rawValue }
        promptSyntax = request.promptSyntax.rawValue
        emphasis = request.emphasis?.rawValue
        rng = request.randomSource.rawValue
        tiling = request.tiling?.rawValue
        if let variation = request.variation {
            subseed = Seed(variation.subseed)
            subseedStrength = variation.strength
        }
        if !request.loras.isEmpty {
            loras = request.loras.map {
                NamedLoRA(
                    name: URL(filePath: $0.path).deletingPathExtension().lastPathComponent,
                    weight: $0.weight, textEncoderWeight: $0.textEncoderWeight)
            }
        }
        if let large = request.highResolution {
            hires = SecondPass(
                scale: large.scale, strength: large.strength, steps: large.steps,
                upscaler: large.upscaler.rawValue)
        }
        cache = request.deepCache?.description
        if request.tokenMergingRatio != 0 { tokenMerging = request.tokenMergingRatio }
        self.strength = strength
    }
}
