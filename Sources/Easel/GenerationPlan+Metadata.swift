import Imaging
import Sampling

extension GenerationPlan {
    /// The settings that made a picture, in the words that other programs read.
    func metadata(ofPicture index: Int, model: Model, hashes: RecordedHashes) -> GenerationMetadata {
        var metadata = GenerationMetadata(
            prompt: request.prompt, negativePrompt: request.negativePrompt,
            steps: request.firstPass?.steps ?? request.steps,
            sampler: sampler.label,
            schedule: request.schedule.flatMap { try? ScheduleCatalogue.named($0).label },
            guidanceScale: request.guidanceScale,
            seed: seed(ofPicture: index), width: request.firstPass?.width ?? width,
            height: request.firstPass?.height ?? height, model: model.name,
            version: "Easel \(easelVersion)")
        if request.initImage != nil { metadata.strength = request.strength }
        metadata.extras += request.firstPass?.settings.extras ?? []
        if request.randomSource == .torchCPU { metadata.randomSource = "CPU" }
        if let variation = request.variation, variation.strength > 0 {
            metadata.variation = .init(
                seed: variation.subseed &+ UInt64(index), strength: variation.strength)
        }
        metadata.seedSize = request.seedSize.map { .init(width: $0.width, height: $0.height) }
        if let template = request.currentTemplate {
            metadata.extras.append(.init("Template", template.prompt))
            if !template.negativePrompt.isEmpty {
                metadata.extras.append(.init("Negative Template", template.negativePrompt))
            }
        }
        if request.clipSkip > 1 { metadata.clipSkip = request.clipSkip }
        metadata.extras += (request.firstPass?.inpainting ?? request.inpainting)?.extras ?? []
        metadata.modelHash = hashes.model
        metadata.autoencoder = model.externalAutoencoder?.lastPathComponent
        metadata.autoencoderHash = hashes.autoencoder
        metadata.extras += hashes.extras
        metadata.isTiling = request.tiling != nil
        if request.tokenMergingRatio > 0 {
            metadata.extras.append(.init(Request.tokenMergingKey, "\(request.tokenMergingRatio)"))
        }
        if let cache = request.deepCache {
            metadata.extras.append(.init("Deep cache interval", "\(cache.interval)"))
        }
        return metadata
    }
}
