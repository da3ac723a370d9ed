/// Multistep consistency sampling: Luo et al., "Latent Consistency Models", 2023, algorithm 3; diffusers'
/// `LCMScheduler`. For models distilled so, in 1 to 8 steps.
struct LCM: Sampler {
    let initialNoiseScale: Float = 1
    let timesteps: [Int]
    private let schedule: NoiseSchedule
    private let prediction: PredictionType
    private var next: Int

    let stepCount: Int
    var isFinished: Bool { next == timesteps.count }

    init(
        _ configuration: SchedulerConfiguration, steps: Int, timesteps given: [Int]? = nil, firstStep: Int = 0
    ) throws {
        timesteps =
            try given.map { try configuration.checked($0) }
            ?? ConsistencyTimesteps.timesteps(configuration, steps: steps)
        schedule = NoiseSchedule(configuration, setAlphaToOne: true, rescalesBetas: true)
        prediction = configuration.predictionType
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
        let original = prediction.original(latents, output, alpha: schedule.alpha(at: timestep))

        // The boundary condition (Song et al., 2023, appendix C), with σ_data = 0.5 and time ten times as fast.
        let time = Float(timestep) * 10
        let denoised =
            time / (time * time + 0.25).squareRoot() * original + 0.25 / (time * time + 0.25) * latents
        next += 1
        var result = denoised
        if !isFinished {
            result = schedule.noised(denoised, with: try noise.latents(like: latents), at: timesteps[next])
        }
        return SamplerStep(latents: result, timestep: Float(timestep), predictedOriginal: denoised)
    }
}
