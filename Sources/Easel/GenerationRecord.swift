import Conditioning
import Foundation
import Imaging
import Sampling

/// Everything that was asked of a model for one picture, as JSON, so that the same request makes the same picture. The
/// pictures that it started from are not in it.
public struct GenerationRecord: Codable, Sendable, Hashable {
    struct Inpaint: Codable, Sendable, Hashable {
        let fill: String
        let maskBlur: Double
        let maskInvert: Bool
        let onlyMaskedPadding: Int?
        let composite: Bool
    }

    struct Large: Codable, Sendable, Hashable {
        let scale: Double
        let strength: Double
        let steps: Int?
        let upscaler: String
        /// The first pass's.
        let width: Int
        let height: Int
        let baseSteps: Int
    }

    struct FreeURecord: Codable, Sendable, Hashable {
        let version: String
        let backbone: [Float]
        let skip: [Float]
    }

    let version: String
    public let model: String
    let precision: String
    let prompt: String
    let negativePrompt: String
    /// The prompts before choices were made in them; nil where they had none.
    let template: String?
    let negativeTemplate: String?
    let profile: String
    let promptSyntax: String
    let emphasis: String
    let clipSkip: Int
    let width: Int
    let height: Int
    let steps: Int
    let sampler: String
    let schedule: String?
    let rho: Double?
    let sigmas: [Double]?
    let eta: Double?
    let timestepSpacing: String?
    let zeroTerminalSnr: Bool?
    let guidanceScale: Float
    let guidanceSchedule: [Float]?
    let guidanceInterval: [Double]
    let guidanceRescale: Double
    let pagScale: Float?
    let freeu: FreeURecord?
    let tiling: String?
    let seed: UInt64
    let rng: String
    let stepNoise: String?
    let subseed: UInt64?
    let subseedStrength: Double?
    let seedResize: [Int]?
    /// Nil where the picture did not start from another.
    public let strength: Double?
    let resize: String?
    /// Nil where it had no mask.
    let inpaint: Inpaint?
    let extend: [Int]?
    /// Nil where there was one pass.
    let hires: Large?

    init(_ plan: GenerationPlan, picture index: Int, model: Model) {
        let request = plan.request
        version = "Easel \(easelVersion)"
        self.model = model.name
        precision = model.precision.rawValue
        prompt = request.prompt
        negativePrompt = request.negativePrompt
        template = request.currentTemplate?.prompt
        negativeTemplate = request.currentTemplate?.negativePrompt
        profile = request.profile.rawValue
        promptSyntax = request.promptSyntax.rawValue
        emphasis = request.effectiveEmphasis.rawValue
        clipSkip = request.clipSkip
        (width, height) = (plan.width, plan.height)
        steps = request.steps
        sampler = plan.sampler.name
        schedule = request.schedule
        rho = request.rho
        sigmas = request.sigmas
        eta = request.eta
        timestepSpacing = request.timestepSpacing?.rawValue
        zeroTerminalSnr = request.zeroTerminalSNR
        guidanceScale = request.guidanceScale
        guidanceSchedule = request.guidanceSchedule.isEmpty ? nil : request.guidanceSchedule
        guidanceInterval = [request.guidanceInterval.lowerBound, request.guidanceInterval.upperBound]
        guidanceRescale = request.guidanceRescale
        pagScale = request.perturbedAttentionScale == 0 ? nil : request.perturbedAttentionScale
        freeu = request.freeU.map {
            FreeURecord(version: $0.version.rawValue, backbone: $0.backbone, skip: $0.skip)
        }
        tiling = request.tiling?.rawValue
        seed = plan.seed(ofPicture: index)
        rng = request.randomSource.rawValue
        stepNoise = request.stepNoise?.rawValue
        subseed = request.variation.map { $0.subseed &+ UInt64(index) }
        subseedStrength = request.variation?.strength
        seedResize = request.seedSize.map { [$0.width, $0.height] }
        hires = request.largeFrom.map {
            Large(
                scale: $0.scale, strength: $0.strength, steps: $0.steps, upscaler: $0.upscaler.rawValue,
                width: request.smallSize?.width ?? plan.width,
                height: request.smallSize?.height ?? plan.height,
                baseSteps: request.smallSize?.steps ?? request.steps)
        }
        let isFromPicture = request.initImage != nil && request.largeFrom == nil
        strength = isFromPicture ? request.strength : nil
        resize = isFromPicture ? request.resize.rawValue : nil
        inpaint = request.inpainting.map {
            Inpaint(
                fill: $0.fill.rawValue, maskBlur: $0.maskBlur, maskInvert: $0.invertsMask,
                onlyMaskedPadding: $0.onlyMaskedPadding, composite: $0.composite)
        }
        extend = request.outpainting.map { [$0.left, $0.right, $0.top, $0.bottom] }
    }

    /// The record as JSON, its keys in order.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Numbers that JSON has no words for are refused with the request, before there is a record.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// Reads a record.
    ///
    /// - Throws: `DecodingError` where it is not one.
    public init(json: String) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(GenerationRecord.self, from: Data(json.utf8))
    }
}

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
        schedule = record.schedule
        rho = record.rho
        sigmas = record.sigmas
        eta = record.eta
        timestepSpacing = try record.timestepSpacing.map {
            try word("timestep_spacing", $0, TimestepSpacing.self)
        }
        zeroTerminalSNR = record.zeroTerminalSnr
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

    /// The request that another program's settings are of, as far as they go.
    ///
    /// Its random numbers are a graphics processor's unless the settings say CPU, as AUTOMATIC1111's are.
    ///
    /// - Throws: `SamplingError` for a sampler or a schedule that is not here.
    public init(_ metadata: GenerationMetadata) throws {
        self.init(
            prompt: metadata.prompt, negativePrompt: metadata.negativePrompt, width: metadata.width,
            height: metadata.height, steps: metadata.steps, guidanceScale: metadata.guidanceScale,
            seed: metadata.seed, sampler: try SamplerCatalogue.named(metadata.sampler).name)
        if let label = metadata.schedule, label != "Automatic" {
            schedule = try ScheduleCatalogue.named(label).name
        }
        imitate(.a1111)
        clipSkip = metadata.clipSkip ?? 1
        randomSource = metadata.randomSource == "CPU" ? .torchCPU : .torchCUDA
        strength = metadata.strength ?? strength
        variation = metadata.variation.map { NoiseVariation(subseed: $0.seed, strength: $0.strength) }
        seedSize = metadata.seedSize.map { PixelSize(width: $0.width, height: $0.height) }
        if metadata.isTiling { tiling = .both }
    }
}

/// Why a picture's settings cannot be used.
public struct RecordError: Error, Sendable, Hashable, CustomStringConvertible {
    let field: String
    let value: String
    public var description: String {
        "the picture's settings say \(field) = \(value), which means nothing here; set it with an option"
    }
}
