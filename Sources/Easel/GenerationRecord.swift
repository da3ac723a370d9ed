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
        /// Whether a mask was given, and not only what lies beyond the picture's edges is made anew; nil in older records.
        let isMasked: Bool?
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

    struct Sizes: Codable, Sendable, Hashable {
        let original: [Int]?
        let crop: [Int]
        let target: [Int]?
        let aestheticScore: Float
        let negativeAestheticScore: Float
    }

    let version: String
    public let model: String
    /// The name of the autoencoder's file or folder that was taken in place of the model's own.
    public let vae: String?
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
    /// Nil where there were none but those that the prompt names.
    let loras: [LoRA]?
    /// Where the prompt's were found.
    let loraFolders: [String]?
    let embeddings: [Embedding]?
    let embeddingFolders: [String]?
    let width: Int
    let height: Int
    /// What a model of the family XL was told beside the prompt; nil for others.
    let sizes: Sizes?
    let steps: Int
    /// Nil where all were: after so many the picture was finished as it was then.
    public let stepsTaken: Int?
    let sampler: String
    let schedule: String?
    let rho: Double?
    let sigmas: [Double]?
    let timesteps: [Int]?
    let eta: Double?
    let timestepSpacing: String?
    let zeroTerminalSnr: Bool?
    let predictionType: String?
    let guidanceScale: Float
    let guidanceSchedule: [Float]?
    /// Nil where the model does not edit pictures.
    let imageGuidanceScale: Float?
    let guidanceInterval: [Double]
    let guidanceRescale: Double
    let pagScale: Float?
    let freeu: FreeURecord?
    let cache: String?
    let tokenMerging: Double?
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

    init(_ plan: GenerationPlan, picture index: Int, model: Model, stepsTaken: Int? = nil) {
        let request = plan.request
        version = "Easel \(easelVersion)"
        self.model = model.name
        vae = model.externalAutoencoder?.lastPathComponent
        precision = model.precision.rawValue
        prompt = request.prompt
        negativePrompt = request.negativePrompt
        template = request.currentTemplate?.prompt
        negativeTemplate = request.currentTemplate?.negativePrompt
        profile = request.profile.rawValue
        promptSyntax = request.promptSyntax.rawValue
        emphasis = request.effectiveEmphasis.rawValue
        clipSkip = request.clipSkip
        loras = request.loras.isEmpty ? nil : request.loras
        loraFolders = plan.loras.count > request.loras.count ? request.loraFolders.map(\.path) : nil
        embeddings = request.embeddings.isEmpty ? nil : request.embeddings
        let folders = request.embeddingFolders.map(\.path)
        embeddingFolders = folders.isEmpty || plan.embeddings.words.isEmpty ? nil : folders
        (width, height) = (plan.width, plan.height)
        let told = request.sizeConditioning
        sizes =
            plan.sizeNumbers.first?.isEmpty == false
            ? Sizes(
                original: told.originalSize.map { [$0.width, $0.height] },
                crop: [told.crop.left, told.crop.top], target: told.targetSize.map { [$0.width, $0.height] },
                aestheticScore: told.aestheticScore, negativeAestheticScore: told.negativeAestheticScore)
            : nil
        steps = request.steps
        self.stepsTaken = stepsTaken
        sampler = plan.sampler.name
        schedule = request.schedule
        rho = request.rho
        let first = request.firstPass
        (sigmas, timesteps) =
            first.map { ($0.sigmas, $0.timesteps) } ?? (request.sigmas, request.timesteps)
        eta = request.eta
        timestepSpacing = request.timestepSpacing?.rawValue
        zeroTerminalSnr = request.zeroTerminalSNR
        predictionType = request.predictionType?.rawValue
        guidanceScale = request.guidanceScale
        imageGuidanceScale = plan.pictureScale
        guidanceSchedule = request.guidanceSchedule.isEmpty ? nil : request.guidanceSchedule
        guidanceInterval = [request.guidanceInterval.lowerBound, request.guidanceInterval.upperBound]
        guidanceRescale = request.guidanceRescale
        pagScale = request.perturbedAttentionScale == 0 ? nil : request.perturbedAttentionScale
        freeu = request.freeU.map {
            FreeURecord(version: $0.version.rawValue, backbone: $0.backbone, skip: $0.skip)
        }
        cache = request.deepCache?.description
        tokenMerging = request.tokenMergingRatio == 0 ? nil : request.tokenMergingRatio
        tiling = request.tiling?.rawValue
        seed = plan.seed(ofPicture: index)
        rng = request.randomSource.rawValue
        stepNoise = request.stepNoise?.rawValue
        subseed = request.variation.map { $0.subseed &+ UInt64(index) }
        subseedStrength = request.variation?.strength
        seedResize = request.seedSize.map { [$0.width, $0.height] }
        hires = first.map {
            Large(
                scale: $0.settings.scale, strength: $0.settings.strength, steps: $0.settings.steps,
                upscaler: $0.settings.upscaler.rawValue, width: $0.width, height: $0.height,
                baseSteps: $0.steps)
        }
        strength = first.map(\.strength) ?? (request.initImage == nil ? nil : request.strength)
        resize = strength == nil ? nil : (first?.resize ?? request.resize).rawValue
        inpaint = (first?.inpainting ?? request.inpainting).map {
            Inpaint(
                fill: $0.fill.rawValue, maskBlur: $0.maskBlur, maskInvert: $0.invertsMask,
                onlyMaskedPadding: $0.onlyMaskedPadding, composite: $0.composite,
                isMasked: !$0.mask.isBlack || $0.invertsMask)
        }
        extend = (first?.outpainting ?? request.outpainting).map { [$0.left, $0.right, $0.top, $0.bottom] }
    }

    /// Whether a mask was given.
    public var hasMask: Bool { inpaint.map { $0.isMasked ?? (extend == nil) } ?? false }

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
