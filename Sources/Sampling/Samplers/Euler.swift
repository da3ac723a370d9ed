/// Euler's method on the probability flow: Karras et al., 2022, algorithm 2 without churn; as diffusers'
/// `EulerDiscreteScheduler`.
///
/// Its latents are x₀ + σ·ε; the network is given them divided by √(σ²+1).
public struct Euler: Sampler {
    public let initialNoiseScale: Float
    /// Those that are visited, noisiest first; between two of the training's where the spacing puts them there.
    public let timesteps: [Float]
    /// The noise levels of ``timesteps``, and the last step's end.
    public let sigmas: [Float]
    private let prediction: PredictionType
    private var next = 0

    public var stepCount: Int { timesteps.count }
    public var isFinished: Bool { next == timesteps.count }

    /// - Parameter steps: From 1 to the timesteps trained with.
    /// - Throws: ``SamplingError``.
    public init(_ configuration: SchedulerConfiguration, steps: Int) throws {
        (timesteps, sigmas) = try Self.levels(configuration, steps: steps)
        prediction = configuration.predictionType
        let largest = sigmas.max() ?? 0
        initialNoiseScale =
            (configuration.timestepSpacing ?? .linspace) == .leading
            ? (largest * largest + 1).squareRoot() : largest
    }

    public mutating func step(
        _ latents: Latents, model: DenoisingModel, noise: inout PictureNoise
    ) async throws -> SamplerStep {
        let (timestep, sigma) = (timesteps[next], sigmas[next])
        let square = sigma * sigma + 1
        let output = try await model(latents / square.squareRoot(), timestep: timestep)
        let original =
            switch prediction {
            case .epsilon: latents - sigma * output
            case .sample: output
            case .vPrediction: output * (-sigma / square.squareRoot()) + latents / square
            }
        let derivative = (latents - original) / sigma
        let result = latents + derivative * (sigmas[next + 1] - sigma)
        next += 1
        return SamplerStep(latents: result, timestep: timestep, predictedOriginal: original)
    }

    private static func levels(
        _ configuration: SchedulerConfiguration, steps: Int
    ) throws -> (timesteps: [Float], sigmas: [Float]) {
        try refuse("interpolation_type", configuration.interpolationType, unlessOneOf: ["linear"])
        try refuse("timestep_type", configuration.timestepType, unlessOneOf: ["discrete"])
        try refuse("final_sigmas_type", configuration.finalSigmasType, unlessOneOf: ["zero", "sigma_min"])
        try refuse(
            "use_exponential_sigmas", "\(configuration.useExponentialSigmas)", unlessOneOf: ["false"])
        try refuse("use_beta_sigmas", "\(configuration.useBetaSigmas)", unlessOneOf: ["false"])

        // 2⁻²⁴, so that the first sigma is finite where the signal-to-noise ratio was rescaled to 0.
        let schedule = NoiseSchedule(
            configuration, setAlphaToOne: false, rescalesBetas: true, least: 0x1p-24)
        let trained = TrainedSigmas(schedule)
        var timesteps = try Timesteps(configuration, spacing: .linspace).fractional(steps: steps)
            .map { Float($0) }
        var sigmas = timesteps.map { trained.sigma(at: Double($0)) }
        if configuration.useKarrasSigmas {
            sigmas = karrasSigmas(
                from: configuration.sigmaMaximum ?? sigmas[0],
                to: configuration.sigmaMinimum ?? sigmas[steps - 1], steps: steps)
            timesteps = sigmas.map { Float(trained.timestep(at: $0)) }
        }
        let last = configuration.finalSigmasType == "zero" ? 0 : schedule.sigmas[0]
        return (timesteps, sigmas.map { Float($0) } + [last])
    }

    private static func refuse(_ key: String, _ value: String, unlessOneOf supported: [String]) throws {
        guard supported.contains(value) else {
            throw SamplingError.unsupportedSetting(
                sampler: "euler", key: key, value: value, supported: supported)
        }
    }
}
