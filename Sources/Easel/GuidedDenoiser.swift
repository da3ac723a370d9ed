import EngineInterface
import Sampling
import TensorGraph

/// The U-Net led by a prompt, away from a negative prompt: what the denoising loop asks.
struct GuidedDenoiser: Sendable {
    private let unet: any CompiledGraph
    private let guidance: ClassifierFreeGuidance
    /// What a U-Net for inpainting sees beside the latents; nil for others.
    private let seen: Latents?
    /// The prompts' embeddings `[passes · pictures, tokens, width]`: all negative ones first.
    private let context: HostTensor

    /// - Parameters:
    ///   - unet: Compiled for that many pictures, and for two passes with guidance.
    ///   - negative: The negative prompt's embeddings `[1, tokens, width]`; nil without guidance.
    ///   - positive: The prompt's embeddings `[1, tokens, width]`.
    init(
        unet: any CompiledGraph, guidance: ClassifierFreeGuidance, negative: HostTensor?,
        positive: HostTensor, pictures: Int, seen: Latents? = nil
    ) {
        self.seen = seen
        self.unet = unet
        self.guidance = guidance
        let prompts = (negative.map { [$0] } ?? []) + [positive]
        let values = prompts.flatMap { prompt in
            Array(repeatElement(prompt.floats, count: pictures).joined())
        }
        context = HostTensor(
            values, shape: [prompts.count * pictures, positive.shape[1], positive.shape[2]])
    }

    /// The guided prediction for latents `[pictures, channels, height, width]` at a timestep.
    func callAsFunction(_ latents: Latents, timestep: Float) async throws -> Latents {
        let input =
            seen.map { latents.stacked(on: $0) } ?? HostTensor(latents.values, shape: Shape(latents.shape))
        let outputs = try await unet.run([
            "latents": input,
            "timestep": HostTensor([timestep], shape: [1]), "context": context,
        ])
        let prediction = try Latents(
            outputs["prediction"]?.floats ?? [], batch: context.shape[0], channels: latents.channels,
            height: latents.height, width: latents.width)
        guard guidance.isActive else { return prediction }
        let half = latents.batch
        return try guidance.combine(
            unconditional: prediction.pictures(0..<half),
            conditional: prediction.pictures(half..<2 * half))
    }
}

extension Latents {
    /// Each picture's channels, followed by another's: `[batch, both's channels, height, width]`.
    fileprivate func stacked(on other: Latents) -> HostTensor {
        let (size, otherSize) = (values.count / batch, other.values.count / batch)
        var both: [Float] = []
        for index in 0..<batch {
            both += values[index * size..<(index + 1) * size]
            both += other.values[index * otherSize..<(index + 1) * otherSize]
        }
        return HostTensor(both, shape: [batch, channels + other.channels, height, width])
    }
}
