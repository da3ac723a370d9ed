import Foundation

/// DPM-Solver-23, which chooses its steps by the error it estimates: Lu et al., "DPM-Solver", 2022, appendix C;
/// k-diffusion's `sample_dpm_adaptive`. Three model calls a step tried; the number of steps asked for does not count.
struct DPMAdaptive: Sampler {
    let initialNoiseScale: Float
    private let levels: NoiseLevels
    private let prediction: PredictionType
    private let relativeTolerance: Float = 0.05
    private let absoluteTolerance: Float = 0.0078
    /// t = −log σ, now and at the end.
    private var time: Double
    private let end: Double
    private var size = StepSize()
    /// The lower order's result of the last accepted step, which the tolerance is relative to.
    private var previousLow: Latents?
    private var taken = 0

    var stepCount: Int { isFinished ? taken : max(taken + 1, expected) }
    var isFinished: Bool { time >= end - 1e-5 }
    /// As many as Stable Diffusion's latents take, about.
    private let expected = 20

    init(levels: NoiseLevels, prediction: PredictionType, scale: LatentScale, firstStep: Int) {
        // It ends at the smallest level trained, since log 0 has no place in its time.
        let (smallest, largest) = (levels.trained.smallest, levels.trained.largest)
        let first = firstStep > 0 ? levels.sigmas[min(firstStep, levels.stepCount)] : largest
        self.levels = levels
        self.prediction = prediction
        initialNoiseScale = scale.initial(at: first)
        time = -log(max(first, smallest))
        end = -log(smallest)
    }

    func noised(_ original: Latents, with noise: Latents) -> Latents {
        original + Float(isFinished ? 0 : exp(-time)) * noise
    }

    mutating func step(
        _ latents: Latents, model: DenoisingModel, noise: inout PictureNoise
    ) async throws -> SamplerStep {
        let model = SigmaModel(model: model, levels: levels, prediction: prediction)
        let (start, sigma) = (time, exp(-time))
        let denoised = try await model(latents, sigma: sigma)
        let epsilon = (latents - denoised) / Float(sigma)
        while true {
            let next = min(end, start + size.step)
            let (low, high) = try await bothOrders(latents, epsilon, from: start, to: next, model)
            let accepted = size.propose(error: error(low, high, before: previousLow ?? latents))
            guard accepted else { continue }
            previousLow = low
            time = next
            taken += 1
            return SamplerStep(
                latents: high, timestep: Float(levels.timestep(at: sigma)), predictedOriginal: denoised)
        }
    }

    /// The steps of order 2 and 3 from the same model calls (algorithms 4 and 5 of the paper, with r₁ = 1/3).
    private func bothOrders(
        _ latents: Latents, _ epsilon: Latents, from start: Double, to next: Double, _ model: SigmaModel
    ) async throws -> (low: Latents, high: Latents) {
        func direction(_ latents: Latents, at time: Double) async throws -> Latents {
            (latents - (try await model(latents, sigma: exp(-time)))) / Float(exp(-time))
        }
        let h = next - start
        let (third, twoThirds) = (start + h / 3, start + h * 2 / 3)
        let firstGuess = latents - Float(exp(-third) * expm1(h / 3)) * epsilon
        let atThird = try await direction(firstGuess, at: third)
        let base = latents - Float(exp(-next) * expm1(h)) * epsilon
        let low = base - Float(exp(-next) * 1.5 * expm1(h)) * (atThird - epsilon)

        let grown = expm1(h * 2 / 3)
        let secondGuess =
            latents - Float(exp(-twoThirds) * grown) * epsilon
            - Float(exp(-twoThirds) * 2 * (grown / (h * 2 / 3) - 1)) * (atThird - epsilon)
        let atTwoThirds = try await direction(secondGuess, at: twoThirds)
        let high = base - Float(exp(-next) * 1.5 * (expm1(h) / h - 1)) * (atTwoThirds - epsilon)
        return (low, high)
    }

    /// The root mean square of the orders' difference, in tolerances.
    private func error(_ low: Latents, _ high: Latents, before: Latents) -> Double {
        var sum = 0.0
        for index in low.values.indices {
            let largest = max(abs(low.values[index]), abs(before.values[index]))
            let tolerance = max(absoluteTolerance, relativeTolerance * largest)
            let ratio = Double((low.values[index] - high.values[index]) / tolerance)
            sum += ratio * ratio
        }
        return (sum / Double(low.values.count)).squareRoot()
    }

    /// An integral controller of the step (Söderlind, 2003), with order 3.
    private struct StepSize {
        var step = 0.05

        /// Whether a step of that error is taken; changes the size of the next either way.
        mutating func propose(error: Double) -> Bool {
            let factor = 1 + atan(pow(1 / (error + 1e-8), 1 / 3.0) - 1)
            step *= factor
            return factor >= 0.81
        }
    }
}
