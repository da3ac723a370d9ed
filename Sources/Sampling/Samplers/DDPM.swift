/// Ancestral sampling: Ho et al., 2020, algorithm 2, over some of the timesteps; diffusers' `DDPMScheduler`, with the
/// smaller of the paper's two variances.
struct DDPM: Sampler {
    let initialNoiseScale: Float = 1
    let timesteps: [Int]
    private let schedule: NoiseSchedule
    private let prediction: PredictionType
    private let clipRange: Float?
    private var next: Int

    let stepCount: Int
    var isFinished: Bool { next == timesteps.count }

    init(_ configuration: SchedulerConfiguration, steps: Int, firstStep: Int = 0) throws {
        try configuration.refuseThresholding(sampler: "ddpm")
        try configuration.refuse(
            "variance_type", configuration.varianceType ?? "null", sampler: "ddpm",
            unlessOneOf: ["null", "fixed_small", "fixed_small_log"])
        timesteps = try Timesteps(configuration, spacing: .leading).whole(steps: steps)
        var own = configuration
        own.setAlphaToOne = true
        schedule = NoiseSchedule(own, setAlphaToOne: true, rescalesBetas: true)
        prediction = configuration.predictionType
        clipRange = configuration.clipSample ? Float(configuration.clipSampleRange) : nil
        next = min(max(firstStep, 0), timesteps.count)
        stepCount = timesteps.count - next
    }

    func noised(_ original: Latents, with noise: Latents) -> Latents {
        isFinished ? original : schedule.noised(original, with: noise, at: timesteps[next])
    }

    mutating func step(
        _ latents: Latents, model: DenoisingModel, noise: inout PictureNoise
    ) async throws -> SamplerStep {
        let timestep = timesteps[next]
        let output = try await model(latents, timestep: Float(timestep))
        next += 1
        let alpha = schedule.alpha(at: timestep)
        let endAlpha = schedule.alpha(at: isFinished ? -1 : timesteps[next])
        let (beta, endBeta) = (1 - alpha, 1 - endAlpha)
        let stepAlpha = alpha / endAlpha
        let stepBeta = 1 - stepAlpha

        var original = prediction.original(latents, output, alpha: alpha)
        if let clipRange { original = original.map { min(max($0, -clipRange), clipRange) } }
        // Equation 7: the mean of what comes before, given the picture.
        var result =
            endAlpha.squareRoot() * stepBeta / beta * original
            + stepAlpha.squareRoot() * endBeta / beta * latents
        if timestep > 0 {
            let variance = max(endBeta / beta * stepBeta, 1e-20)
            result = result + variance.squareRoot() * (try noise.latents(like: latents))
        }
        return SamplerStep(latents: result, timestep: Float(timestep), predictedOriginal: original)
    }
}
