/// Strategic stochastic sampling: Zheng et al., "Trajectory Consistency Distillation", 2024, algorithm 4; diffusers'
/// `TCDScheduler`. For models distilled so, in 4 or more steps.
struct TCD: Sampler {
    let initialNoiseScale: Float = 1
    let timesteps: [Int]
    private let schedule: NoiseSchedule
    private let prediction: PredictionType
    /// γ in the paper: how much of each step is noise.
    private let eta: Double
    private var next: Int

    let stepCount: Int
    var isFinished: Bool { next == timesteps.count }

    init(
        _ configuration: SchedulerConfiguration, steps: Int, timesteps given: [Int]? = nil, eta: Double = 0.3,
        firstStep: Int = 0
    ) throws {
        guard (0...1).contains(eta) else { throw SamplingError.etaOutOfRange(eta) }
        timesteps =
            try given.map { try configuration.checked($0) }
            ?? ConsistencyTimesteps.timesteps(configuration, steps: steps)
        schedule = NoiseSchedule(configuration, setAlphaToOne: true, rescalesBetas: true)
        prediction = configuration.predictionType
        self.eta = eta
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
        let alpha = schedule.alpha(at: timestep)
        let original = prediction.original(latents, output, alpha: alpha)
        let epsilon = prediction.epsilon(latents, output, alpha: alpha)
        next += 1

        let end = isFinished ? 0 : timesteps[next]
        let below = schedule.alpha(at: Int((1 - eta) * Double(end)))
        var result = below.squareRoot() * original + (1 - below).squareRoot() * epsilon
        if eta > 0, !isFinished {
            let ratio = schedule.alpha(at: end) / below
            let fresh = try noise.latents(like: latents)
            result = ratio.squareRoot() * result + (1 - ratio).squareRoot() * fresh
        }
        return SamplerStep(latents: result, timestep: Float(timestep), predictedOriginal: original)
    }
}
