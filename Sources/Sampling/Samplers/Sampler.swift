/// An update rule: how latents become less noisy, one step at a time, over a model that predicts their noise.
///
/// A sampler keeps its place and what it remembers of earlier steps, so each picture or batch has its own.
/// It asks the model as often a step as its rule needs.
public protocol Sampler: Sendable {
    /// How many steps are taken in all, without those left out at the beginning; for one that chooses its steps as it goes,
    /// how many it expects.
    var stepCount: Int { get }
    /// What standard normal noise is multiplied with to become the first latents.
    var initialNoiseScale: Float { get }

    /// A picture's latents with as much noise as the next step starts from; after the last step, as they are.
    ///
    /// - Parameters:
    ///   - original: The picture's latents: [batch, channels, height, width].
    ///   - noise: Standard normal, of the same shape.
    func noised(_ original: Latents, with noise: Latents) -> Latents
    /// Whether the last step was taken.
    var isFinished: Bool { get }

    /// Takes the next step.
    ///
    /// - Parameters:
    ///   - latents: [batch, channels, height, width], as the step before left them.
    ///   - model: What predicts.
    ///   - noise: Where a stochastic sampler draws noise, for each picture its own.
    /// - Throws: What the model throws, ``SamplingError``, `CancellationError`.
    mutating func step(
        _ latents: Latents, model: DenoisingModel, noise: inout PictureNoise
    ) async throws -> SamplerStep
}

/// What a sampler's step came to.
public struct SamplerStep: Sendable {
    /// The less noisy latents: [batch, channels, height, width].
    public let latents: Latents
    /// The training timestep it started from.
    public let timestep: Float
    /// The picture that the model saw in the noise, x₀, for previews: [batch, channels, height, width].
    public let predictedOriginal: Latents

    public init(latents: Latents, timestep: Float, predictedOriginal: Latents) {
        self.latents = latents
        self.timestep = timestep
        self.predictedOriginal = predictedOriginal
    }
}

/// A network's answer for latents at a training timestep, of the latents' shape: [batch, channels, height, width].
///
/// With guidance, it is the guided answer. The latents are scaled as the network was trained on them. The step is the
/// sampler's, from 0, for prompts that change on the way.
public typealias Denoiser =
    @Sendable (_ latents: Latents, _ timestep: Float, _ step: Int) async throws -> Latents

/// The denoiser as a sampler sees it in one step: cancellable, its output checked.
public struct DenoisingModel: Sendable {
    let denoiser: Denoiser
    /// The step, from 0, and how many there are.
    let step: Int
    let stepCount: Int

    /// - Throws: What the denoiser throws, `CancellationError`,
    ///   ``SamplingError/notFinite(step:stepCount:timestep:index:source:)``,
    ///   ``SamplingError/shapeMismatch(expected:actual:)``.
    public func callAsFunction(_ latents: Latents, timestep: Float) async throws -> Latents {
        try Task.checkCancellation()
        let output = try await denoiser(latents, timestep, step)
        try Task.checkCancellation()
        guard output.shape == latents.shape else {
            throw SamplingError.shapeMismatch(expected: latents.shape, actual: output.shape)
        }
        try check(output, timestep: timestep, .modelOutput)
        return output
    }

    func check(_ latents: Latents, timestep: Float, _ source: SamplingError.NotFiniteSource) throws {
        guard let index = latents.firstNonFinite else { return }
        throw SamplingError.notFinite(
            step: step, stepCount: stepCount, timestep: timestep, index: index, source: source)
    }
}
