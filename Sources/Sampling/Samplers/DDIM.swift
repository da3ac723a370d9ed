/// Denoising diffusion implicit models: Song et al., 2021, equation 12; as diffusers' `DDIMScheduler`.
///
/// With `eta` 0 it adds no noise; with 1 it is the ancestral sampler of Ho et al., 2020.
public struct DDIM: Sampler {
    public let initialNoiseScale: Float = 1
    /// Those that are visited, noisiest first.
    public let timesteps: [Int]
    private let schedule: NoiseSchedule
    private let prediction: PredictionType
    private let clipRange: Float?
    private let eta: Float
    private let stride: Int
    private var next: Int

    public let stepCount: Int
    public var isFinished: Bool { next == timesteps.count }

    /// - Parameters:
    ///   - steps: From 1 to the timesteps trained with.
    ///   - eta: From 0 to 1.
    ///   - firstStep: How many steps are left out, as image-to-image does; at most all.
    /// - Throws: ``SamplingError``.
    public init(_ configuration: SchedulerConfiguration, steps: Int, eta: Double = 0, firstStep: Int = 0)
        throws
    {
        guard (0...1).contains(eta) else { throw SamplingError.etaOutOfRange(eta) }
        try configuration.refuseThresholding(sampler: "ddim")
        timesteps = try Timesteps(configuration, spacing: .leading).whole(steps: steps)
        schedule = NoiseSchedule(configuration, setAlphaToOne: true, rescalesBetas: true)
        prediction = configuration.predictionType
        clipRange = configuration.clipSample ? Float(configuration.clipSampleRange) : nil
        self.eta = Float(eta)
        stride = configuration.trainTimesteps / steps
        next = min(max(firstStep, 0), timesteps.count)
        stepCount = timesteps.count - next
    }

    public func noised(_ original: Latents, with noise: Latents) -> Latents {
        isFinished ? original : schedule.noised(original, with: noise, at: timesteps[next])
    }

    public mutating func step(
        _ latents: Latents, model: DenoisingModel, noise: inout PictureNoise
    ) async throws -> SamplerStep {
        let timestep = timesteps[next]
        let output = try await model(latents, timestep: Float(timestep))
        let alpha = schedule.alpha(at: timestep)
        let previousAlpha = schedule.alpha(at: timestep - stride)
        let (beta, previousBeta) = (1 - alpha, 1 - previousAlpha)

        var original = prediction.original(latents, output, alpha: alpha)
        let epsilon = prediction.epsilon(latents, output, alpha: alpha)
        if let clipRange { original = original.map { min(max($0, -clipRange), clipRange) } }

        let variance = previousBeta / beta * (1 - alpha / previousAlpha)
        let deviation = eta * variance.squareRoot()
        let direction = (1 - previousAlpha - deviation * deviation).squareRoot() * epsilon
        var result = previousAlpha.squareRoot() * original + direction
        if eta > 0 {
            result = result + deviation * (try noise.latents(like: latents))
        }
        next += 1
        return SamplerStep(latents: result, timestep: Float(timestep), predictedOriginal: original)
    }
}
