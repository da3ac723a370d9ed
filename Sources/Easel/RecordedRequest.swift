import Conditioning
import Foundation
import Imaging
import Sampling

extension Request {
    /// The request that a record is of, without the pictures that it started from: where there was one, `strength` and
    /// what else concerns it are set, and ``initImage`` is still to be given. Its mask is white.
    ///
    /// - Throws: ``RecordError`` where the record has a word that means nothing here.
    public init(_ record: GenerationRecord) throws {
        func word<Value: RawRepresentable>(_ field: String, _ text: String, _ type: Value.Type) throws
            -> Value
        where Value.RawValue == String {
            guard let value = Value(rawValue: text) else { throw RecordError(field: field, value: text) }
            return value
        }
        self.init(
            prompt: record.prompt, negativePrompt: record.negativePrompt, width: record.width,
            height: record.height, steps: record.steps, guidanceScale: record.guidanceScale,
            seed: record.seed,
            sampler: record.sampler)
        // The choices were made.
        dynamicPrompts = false
        template = record.template.map {
            PromptTemplate(
                prompt: $0, negativePrompt: record.negativeTemplate ?? "",
                made: [record.prompt, record.negativePrompt])
        }
        profile = try word("profile", record.profile, Profile.self)
        promptSyntax = try word("prompt_syntax", record.promptSyntax, PromptSyntax.self)
        emphasis = try word("emphasis", record.emphasis, Emphasis.self)
        clipSkip = record.clipSkip
        loras = record.loras ?? []
        embeddings = record.embeddings ?? []
        embeddingFolders = (record.embeddingFolders ?? []).map { URL(filePath: $0) }
        loraFolders = (record.loraFolders ?? []).map { URL(filePath: $0) }
        if let sizes = record.sizes { sizeConditioning = SizeConditioning(sizes) }
        schedule = record.schedule
        rho = record.rho
        sigmas = record.sigmas
        timesteps = record.timesteps
        eta = record.eta
        timestepSpacing = try record.timestepSpacing.map {
            try word("timestep_spacing", $0, TimestepSpacing.self)
        }
        zeroTerminalSNR = record.zeroTerminalSnr
        predictionType = try record.predictionType.map {
            try word("prediction_type", $0, PredictionType.self)
        }
        imageGuidanceScale = record.imageGuidanceScale
        guidanceSchedule = record.guidanceSchedule ?? []
        guard record.guidanceInterval.count == 2, record.guidanceInterval[0] <= record.guidanceInterval[1]
        else {
            throw RecordError(field: "guidance_interval", value: "\(record.guidanceInterval)")
        }
        guidanceInterval = record.guidanceInterval[0]...record.guidanceInterval[1]
        guidanceRescale = record.guidanceRescale
        perturbedAttentionScale = record.pagScale ?? 0
        if let freeu = record.freeu {
            guard freeu.backbone.count == 2, freeu.skip.count == 2 else {
                throw RecordError(field: "freeu", value: "\(freeu.backbone) and \(freeu.skip)")
            }
            freeU = FreeU(
                b1: freeu.backbone[0], b2: freeu.backbone[1], s1: freeu.skip[0], s2: freeu.skip[1],
                version: try word("freeu.version", freeu.version, FreeU.Version.self))
        }
        deepCache = try record.cache.map { text in
            guard let cache = DeepCache(text) else { throw RecordError(field: "cache", value: text) }
            return cache
        }
        tokenMergingRatio = record.tokenMerging ?? 0
        tiling = try record.tiling.map { try word("tiling", $0, Tiling.self) }
        stepNoise = try record.stepNoise.map { try word("step_noise", $0, StepNoise.self) }
        randomSource = try word("rng", record.rng, RandomSource.self)
        if let subseed = record.subseed, let strength = record.subseedStrength {
            variation = NoiseVariation(subseed: subseed, strength: strength)
        }
        if let size = record.seedResize, size.count == 2 {
            seedSize = PixelSize(width: size[0], height: size[1])
        }
        if let large = record.hires {
            highResolution = HighResolution(
                scale: large.scale, strength: large.strength, steps: large.steps,
                upscaler: try word("upscaler", large.upscaler, HighResolution.Upscaler.self))
            (width, height, steps) = (large.width, large.height, large.baseSteps)
        }
        strength = record.strength ?? strength
        resize = try record.resize.map { try word("resize", $0, Resizing.self) } ?? resize
        if let sides = record.extend, sides.count == 4 {
            outpainting = Outpainting(left: sides[0], right: sides[1], top: sides[2], bottom: sides[3])
        }
        inpainting = try record.inpaint.map {
            Inpainting(
                mask: Mask(width: 1, height: 1, values: [255]), maskBlur: $0.maskBlur,
                invertsMask: $0.maskInvert,
                fill: try word("fill", $0.fill, Inpainting.Fill.self),
                onlyMaskedPadding: $0.onlyMaskedPadding,
                composite: $0.composite)
        }
    }

    /// AUTOMATIC1111's word.
    static let tokenMergingKey = "Token merging ratio"

    /// The request that another program's settings are of, as far as they go.
    ///
    /// Its random numbers are a graphics processor's unless the settings say CPU, as AUTOMATIC1111's are.
    ///
    /// - Throws: `SamplingError` for a sampler or a schedule that is not here.
    public init(_ metadata: GenerationMetadata) throws {
        self.init(
            prompt: metadata.prompt, negativePrompt: metadata.negativePrompt, width: metadata.width,
            height: metadata.height, steps: metadata.steps, guidanceScale: metadata.guidanceScale,
            seed: metadata.seed)
        let label = metadata.schedule == "Automatic" ? nil : metadata.schedule
        let named = try SamplerCatalogue.named(metadata.sampler, schedule: label)
        (sampler, schedule) = (named.sampler.name, named.schedule?.name)
        imitate(.a1111)
        clipSkip = metadata.clipSkip ?? 1
        randomSource = metadata.randomSource == "CPU" ? .torchCPU : .torchCUDA
        strength = metadata.initStrength ?? strength
        highResolution = HighResolution(metadata)
        variation = metadata.variation.map { NoiseVariation(subseed: $0.seed, strength: $0.strength) }
        seedSize = metadata.seedSize.map { PixelSize(width: $0.width, height: $0.height) }
        if metadata.isTiling { tiling = .both }
        if let text = metadata.extras.first(where: { $0.key == Self.tokenMergingKey })?.value,
            let ratio = Double(text), ratio > 0
        {
            // More than three of four cells are never merged.
            tokenMergingRatio = min(ratio, Self.tokenMergingRatios.upperBound)
        }
    }
}

extension GenerationMetadata {
    /// How much was given up of the picture that it started from; nil where it started from none. AUTOMATIC1111 has the same
    /// word for a second pass's.
    public var initStrength: Double? { HighResolution(self) == nil ? strength : nil }
}

/// Why a picture's settings cannot be used.
public struct RecordError: Error, Sendable, Hashable, CustomStringConvertible {
    let field: String
    let value: String
    public var description: String {
        "the picture's settings say \(field) = \(value), which means nothing here; set it with an option"
    }
}
