import Conditioning
import Foundation
import Imaging
import Sampling

/// A request made definite for a model: sizes in latent cells, a sampler, a seed, tokens. Making it finds
/// everything that is wrong with the request before any network is computed.
struct GenerationPlan: Sendable {
    let request: Request
    let seed: UInt64
    let latentHeight: Int
    let latentWidth: Int
    let tokens: GuidedPromptTokens
    let sampler: SamplerDescription
    let samplerOptions: SamplerOptions
    let scheduler: SchedulerConfiguration
    /// How many steps the sampler takes; for one that chooses them, how many it expects.
    let stepCount: Int
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
        latentHeight = try Request.latentSize(
            axis: "height", pixels: request.height ?? model.height, factor: factor)
        latentWidth = try Request.latentSize(
            axis: "width", pixels: request.width ?? model.width, factor: factor)
        seed = request.seed ?? UInt64(UInt32.random(in: 0...UInt32.max))
        guidance = try ClassifierFreeGuidance(scale: Double(request.guidanceScale))
        scheduler = parts.scheduler

        var warnings: [Warning] = []
        if let name = request.sampler {
            sampler = try SamplerCatalogue.named(name)
        } else {
            let own = SamplerCatalogue.default(for: scheduler)
            sampler = own.sampler
            if let missing = own.missing {
                warnings.append(.samplerReplaced(named: missing, by: own.sampler.name))
            }
        }
        samplerOptions = SamplerOptions(
            eta: request.eta,
            levels: NoiseLevelOptions(schedule: request.schedule, sigmas: request.sigmas))
        // The sampler is made once here, for what it refuses, and again for each batch.
        stepCount = try sampler.sampler(scheduler, steps: request.steps, options: samplerOptions).stepCount

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
    func metadata(ofPicture index: Int, model: Model) -> GenerationMetadata {
        GenerationMetadata(
            prompt: request.prompt, negativePrompt: request.negativePrompt, steps: request.steps,
            sampler: sampler.label,
            schedule: request.schedule.flatMap { try? ScheduleCatalogue.named($0).label },
            guidanceScale: request.guidanceScale,
            seed: seed(ofPicture: index), width: latentWidth * model.parts.autoencoder.factor,
            height: latentHeight * model.parts.autoencoder.factor, model: model.name,
            version: "Easel \(easelVersion)")
    }
}
