import Foundation

/// An update rule over noise levels: its latents are x₀ + σ·ε.
///
/// This is the form of Karras et al., 2022, and of k-diffusion; latents that keep their variance, as DPM-Solver's are
/// in diffusers, differ from these by the factor √(σ²+1) only.
protocol UpdateRule: Sendable {
    /// Takes the latents from a noise level to the next.
    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update
}

/// What an update came to.
struct Update {
    /// The latents at the interval's end.
    let latents: Latents
    /// The picture that the model saw at its start: x₀.
    let denoised: Latents

    init(_ latents: Latents, denoised: Latents) {
        self.latents = latents
        self.denoised = denoised
    }
}

/// A step of a sampler, from a noise level to the next.
struct NoiseInterval: Sendable {
    /// The step, from 0, and how many there are.
    let index: Int
    let count: Int
    /// Where it starts.
    let sigma: Double
    /// Where it ends: below `sigma`, 0 at the last step.
    let next: Double
    /// From the least level above 0 to the largest, of all steps; in ComfyUI of those that are taken.
    let range: ClosedRange<Double>

    /// h = λ(next) − λ(sigma), with λ = −log σ: the step of Lu et al., 2022. Infinite where `next` is 0.
    var logStep: Double { log(sigma / next) }
}

/// A network that says what picture is in the noise: D(x; σ) of Karras et al., 2022.
struct SigmaModel: Sendable {
    let model: DenoisingModel
    let levels: NoiseLevels
    let prediction: PredictionType

    /// The picture in the latents, x₀ in x₀ + σ·ε.
    func callAsFunction(_ latents: Latents, sigma: Double) async throws -> Latents {
        let timestep = Float(levels.timestep(at: sigma))
        let (sigma, square) = (Float(sigma), Float(sigma) * Float(sigma) + 1)
        let output = try await model(latents / square.squareRoot(), timestep: timestep)
        return switch prediction {
        case .epsilon: latents - sigma * output
        case .sample: output
        case .vPrediction: output * (-sigma / square.squareRoot()) + latents / square
        }
    }
}

/// A sampler over noise levels: an update rule, taken from each level to the next.
struct SigmaSampler<Rule: UpdateRule>: Sampler {
    let levels: NoiseLevels
    let initialNoiseScale: Float
    private let prediction: PredictionType
    private let scale: LatentScale
    private(set) var rule: Rule
    private var next: Int

    let stepCount: Int
    var isFinished: Bool { next == levels.stepCount }

    /// - Parameter firstStep: How many steps are left out, as image-to-image does; at most all.
    init(
        _ rule: Rule, levels: NoiseLevels, prediction: PredictionType, scale: LatentScale, firstStep: Int
    ) {
        self.rule = rule
        self.scale = scale
        self.levels = levels
        self.prediction = prediction
        next = min(max(firstStep, 0), levels.stepCount)
        stepCount = levels.stepCount - next
        initialNoiseScale = scale.initial(at: levels.sigmas[next])
    }

    func noised(_ original: Latents, with noise: Latents) -> Latents {
        isFinished ? original : original + scale.noise(at: levels.sigmas[next]) * noise
    }

    mutating func step(
        _ latents: Latents, model: DenoisingModel, noise: inout PictureNoise
    ) async throws -> SamplerStep {
        let interval = NoiseInterval(
            index: next, count: levels.stepCount, sigma: levels.sigmas[next], next: levels.sigmas[next + 1],
            range: levels.range)
        let update = try await rule.update(
            latents, over: interval, model: SigmaModel(model: model, levels: levels, prediction: prediction),
            noise: &noise)
        next += 1
        return SamplerStep(
            latents: isFinished ? scale.final(update.latents, at: interval.next) : update.latents,
            timestep: Float(levels.timesteps[interval.index]), predictedOriginal: update.denoised)
    }
}

/// How latents relate to standard normal noise at the first level, and to the network's at the last.
enum LatentScale: Sendable {
    /// The first are σ·ε: as if the picture were 0.
    case noise
    /// The first are √(σ²+1)·ε: of the variance that noisy latents have in training.
    case variance
    /// The same, and the last are divided by it: the latents of diffusers' multistep solvers, seen from outside.
    case variancePreserving
    /// As ``variance`` from a level on, and over a picture too; as ``noise`` below it: ComfyUI's.
    case varianceFrom(Double)

    func initial(at sigma: Double) -> Float {
        let sigma = Float(sigma)
        switch self {
        case .noise: return sigma
        case .variance, .variancePreserving: return (sigma * sigma + 1).squareRoot()
        case .varianceFrom: return self.noise(at: Double(sigma))
        }
    }

    /// What noise is multiplied with before a picture is added to it.
    func noise(at sigma: Double) -> Float {
        guard case .varianceFrom(let least) = self, sigma > least * (1 - 1e-5) else { return Float(sigma) }
        return (Float(sigma) * Float(sigma) + 1).squareRoot()
    }

    func final(_ latents: Latents, at sigma: Double) -> Latents {
        guard case .variancePreserving = self, sigma > 0 else { return latents }
        return latents / (Float(sigma) * Float(sigma) + 1).squareRoot()
    }
}
