import Conditioning
import Foundation
import Imaging
import Sampling

/// A request made definite for a model: sizes in latent cells, a sampler, a seed, tokens. Making it finds
/// everything that is wrong with the request before any network is computed.
struct GenerationPlan: Sendable {
    let request: Request
    let seed: UInt64
    /// In pixels.
    let width: Int
    /// In pixels.
    let height: Int
    let latentHeight: Int
    let latentWidth: Int
    /// What the request starts from; nil for noise.
    let canvas: Canvas?
    let tokens: GuidedPromptTokens
    let sampler: SamplerDescription
    let samplerOptions: SamplerOptions
    let scheduler: SchedulerConfiguration
    /// Whether there is anything to denoise.
    let takesSteps: Bool
    let guidance: ClassifierFreeGuidance
    let warnings: [Warning]
    /// The indices of the pictures that are computed together.
    let batches: [Range<Int>]

    /// - Throws: ``RequestError``, `SamplingError`.
    init(_ request: Request, for model: Model) throws {
        try request.check()
        self.request = request
        let parts = model.parts
        let factor = parts.autoencoder.factor
        let own = request.ownSize(factor: factor) ?? (model.width, model.height)
        (width, height) = (request.width ?? own.width, request.height ?? own.height)
        latentHeight = try Request.latentSize(axis: "height", pixels: height, factor: factor)
        latentWidth = try Request.latentSize(axis: "width", pixels: width, factor: factor)
        canvas = try Canvas(request, width: width, height: height)
        seed = request.seed ?? UInt64(UInt32.random(in: 0...UInt32.max))
        guidance = try ClassifierFreeGuidance(scale: Double(request.guidanceScale))
        scheduler = parts.scheduler

        var warnings: [Warning] = []
        if let image = request.initImage, let mask = request.inpainting?.mask,
            image.width != mask.width || image.height != mask.height
        {
            warnings.append(
                .maskResized(
                    fromWidth: mask.width, fromHeight: mask.height, toWidth: image.width,
                    toHeight: image.height))
        }
        if let name = request.sampler {
            sampler = try SamplerCatalogue.named(name)
        } else {
            let chosen = SamplerCatalogue.default(for: scheduler)
            sampler = chosen.sampler
            if let missing = chosen.missing {
                warnings.append(.samplerReplaced(named: missing, by: chosen.sampler.name))
            }
        }
        samplerOptions = SamplerOptions(
            eta: request.eta,
            levels: NoiseLevelOptions(schedule: request.schedule, sigmas: request.sigmas),
            firstStep: request.firstStep)
        // The sampler is made once here, for what it refuses, and again for each batch.
        takesSteps = try !sampler.sampler(scheduler, steps: request.steps, options: samplerOptions).isFinished

        tokens = parts.tokenizer.tokenize(
            request.prompt, negative: request.negativePrompt, length: parts.textEncoder.positions)
        for (field, cut) in [("prompt", tokens.positive), ("negative prompt", tokens.negative)]
        where !cut.cutIDs.isEmpty {
            warnings.append(.promptCut(field: field, tokens: cut.cutIDs.count, text: cut.cutText))
        }
        self.warnings = warnings
        // Pictures whose steps depend on them are the same in a batch only if they are alone in it.
        let batchSize = sampler.isAdaptive ? 1 : request.batchSize
        batches = stride(from: 0, to: request.count, by: batchSize).map {
            $0..<min($0 + batchSize, request.count)
        }
    }

    /// How many times the U-Net sees each picture in a step: without the prompt and with it, or with it only.
    var passes: Int { guidance.isActive ? 2 : 1 }

    /// The sampler, at its first step.
    func makeSampler() throws -> any Sampler {
        try sampler.sampler(scheduler, steps: request.steps, options: samplerOptions)
    }

    /// The seed of a picture.
    func seed(ofPicture index: Int) -> UInt64 { seed &+ UInt64(index) }

    /// The settings that made a picture, in the words that other programs read.
    func metadata(ofPicture index: Int, size: Image, model: Model) -> GenerationMetadata {
        var metadata = GenerationMetadata(
            prompt: request.prompt, negativePrompt: request.negativePrompt, steps: request.steps,
            sampler: sampler.label,
            schedule: request.schedule.flatMap { try? ScheduleCatalogue.named($0).label },
            guidanceScale: request.guidanceScale,
            seed: seed(ofPicture: index), width: size.width, height: size.height, model: model.name,
            version: "Easel \(easelVersion)")
        if request.initImage != nil { metadata.strength = request.strength }
        metadata.extras = request.inpainting?.extras ?? []
        return metadata
    }
}
