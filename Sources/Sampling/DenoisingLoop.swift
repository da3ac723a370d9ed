/// A finished step of the denoising loop.
public struct DenoisingStep: Sendable {
    /// From 0.
    public let index: Int
    /// How many there are in all.
    public let count: Int
    /// The training timestep it started from.
    public let timestep: Float
    /// What it left: [batch, channels, height, width].
    public let latents: Latents
    /// The picture that the model saw in the noise, for previews: [batch, channels, height, width].
    public let predictedOriginal: Latents

    /// The same of some of the batch's pictures.
    ///
    /// - Parameter range: Within 0 to the batch's size.
    public func pictures(_ range: Range<Int>) -> DenoisingStep {
        DenoisingStep(
            index: index, count: count, timestep: timestep, latents: latents.pictures(range),
            predictedOriginal: predictedOriginal.pictures(range))
    }
}

/// Takes noise to latents of pictures: every step of the sampler, in order.
///
/// - Parameters:
///   - latents: Noise times the sampler's `initialNoiseScale`: [batch, channels, height, width].
///   - sampler: The update rule, at its first step.
///   - noise: The generators that made the latents' noise, one a picture; stochastic samplers go on drawing from them.
///   - kept: What of a picture stays as it is; nil where all is made anew.
///   - denoiser: The network, guided.
///   - report: Called after each step, before the next begins; what it throws ends the loop.
///   - isEnough: Asked between steps, with the last that was taken, whether no other is to be.
/// - Returns: The latents after the last step, of the same shape; where it was enough before, what the model saw in the
///   noise then.
/// - Throws: What the denoiser or the report throws; `CancellationError` between and inside steps;
///   ``SamplingError`` where values are not finite or shapes not equal.
public func denoise(
    _ latents: Latents, with sampler: any Sampler, noise: PictureNoise, keeping kept: KeptRegion? = nil,
    denoiser: @escaping Denoiser,
    report: @Sendable (DenoisingStep) async throws -> Void = { _ in },
    isEnough: @Sendable (DenoisingStep) -> Bool = { _ in false }
) async throws -> Latents {
    guard noise.count == latents.batch else {
        throw SamplingError.pictureCountMismatch(latents: latents.batch, noise: noise.count)
    }
    var (latents, sampler, noise) = (latents, sampler, noise)
    var index = 0
    while !sampler.isFinished {
        try Task.checkCancellation()
        let model = DenoisingModel(denoiser: denoiser, step: index, stepCount: sampler.stepCount)
        let step = try await sampler.step(latents, model: model, noise: &noise)
        try model.check(step.latents, timestep: step.timestep, .latents)
        latents = kept?.restored(in: step.latents, before: sampler) ?? step.latents
        let taken = DenoisingStep(
            index: index, count: sampler.stepCount, timestep: step.timestep, latents: latents,
            predictedOriginal: step.predictedOriginal)
        try await report(taken)
        index += 1
        if !sampler.isFinished, isEnough(taken) {
            return kept?.restored(in: step.predictedOriginal) ?? step.predictedOriginal
        }
    }
    return latents
}
