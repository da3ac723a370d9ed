/// Pseudo numerical methods for diffusion models: Liu et al., 2022, algorithm 2; as diffusers' `PNDMScheduler`.
///
/// A linear multistep rule of order 4. Its first steps are three of pseudo Runge–Kutta, four model calls each; or,
/// with `skip_prk_steps` as for Stable Diffusion (PLMS), multistep rules of lower order after a first step that asks
/// the model twice.
public struct PNDM: Sampler {
    public let initialNoiseScale: Float = 1
    /// Those that steps start from, noisiest first.
    public let timesteps: [Int]
    private let schedule: NoiseSchedule
    private let prediction: PredictionType
    private let skipsRungeKutta: Bool
    private let stride: Int
    private var next = 0
    /// The model's last outputs, newest last, at most four.
    private var outputs: [Latents] = []

    public var stepCount: Int { timesteps.count }
    public var isFinished: Bool { next == timesteps.count }

    /// - Parameter steps: From 1 to the timesteps trained with; from 4 with Runge–Kutta steps.
    /// - Throws: ``SamplingError``.
    public init(_ configuration: SchedulerConfiguration, steps: Int) throws {
        guard configuration.predictionType != .sample else {
            throw SamplingError.unsupportedSetting(
                sampler: "pndm", key: "prediction_type", value: "sample",
                supported: ["epsilon", "v_prediction"])
        }
        timesteps = try Timesteps(configuration, spacing: .leading).whole(steps: steps)
        skipsRungeKutta = configuration.skipRungeKuttaSteps
        guard skipsRungeKutta || steps >= 4 else {
            throw SamplingError.tooFewSteps(sampler: "pndm", steps: steps, minimum: 4)
        }
        schedule = NoiseSchedule(configuration, setAlphaToOne: false, rescalesBetas: false)
        prediction = configuration.predictionType
        stride = configuration.trainTimesteps / steps
    }

    public mutating func step(
        _ latents: Latents, model: DenoisingModel, noise: inout PictureNoise
    ) async throws -> SamplerStep {
        let timestep = timesteps[next]
        let output = try await model(latents, timestep: Float(timestep))
        outputs = outputs.suffix(3) + [output]
        let result =
            if !skipsRungeKutta, next < 3 {
                try await rungeKuttaStep(latents, output, model)
            } else if next == 0, timesteps.count > 1 {
                try await firstStep(latents, output, model)
            } else {
                transfer(latents, multistepOutput, from: timestep, to: timestep - stride)
            }
        next += 1
        return SamplerStep(
            latents: result, timestep: Float(timestep),
            predictedOriginal: prediction.original(latents, output, alpha: schedule.alpha(at: timestep)))
    }

    /// From the mean of the outputs at both ends of the step.
    private func firstStep(
        _ latents: Latents, _ output: Latents, _ model: DenoisingModel
    ) async throws -> Latents {
        let (start, end) = (timesteps[0], timesteps[1])
        let guess = transfer(latents, output, from: start, to: start - stride)
        let atEnd = try await model(guess, timestep: Float(end))
        return transfer(latents, (atEnd + output) / 2, from: end + stride, to: end)
    }

    /// Equation 13: the outputs at the start, twice at the middle and at the end.
    private func rungeKuttaStep(
        _ latents: Latents, _ output: Latents, _ model: DenoisingModel
    ) async throws -> Latents {
        let (start, end) = (timesteps[next], timesteps[next + 1])
        let half = stride / 2
        let middle = end + half
        var guess = transfer(latents, output, from: start, to: start - half)
        let second = try await model(guess, timestep: Float(middle))
        guess = transfer(latents, second, from: start, to: middle)
        let third = try await model(guess, timestep: Float(middle))
        guess = transfer(latents, third, from: start, to: middle - half)
        let fourth = try await model(guess, timestep: Float(end))
        let (oneSixth, oneThird) = (Float(1.0 / 6), Float(1.0 / 3))
        let mean = oneSixth * output + oneThird * second + oneThird * third + oneSixth * fourth
        return transfer(latents, mean, from: start, to: end)
    }

    /// Adams–Bashforth: equation 12 with four outputs, lower orders with fewer.
    private var multistepOutput: Latents {
        let last = outputs.count - 1
        return switch outputs.count {
        case 1: outputs[0]
        case 2: (3 * outputs[last] - outputs[last - 1]) / 2
        case 3: (23 * outputs[last] - 16 * outputs[last - 1] + 5 * outputs[last - 2]) / 12
        default:
            Float(1.0 / 24)
                * (55 * outputs[last] - 59 * outputs[last - 1] + 37 * outputs[last - 2]
                    - 9 * outputs[last - 3])
        }
    }

    /// Equation 11: latents of one timestep, taken to another along a model output.
    private func transfer(_ latents: Latents, _ output: Latents, from start: Int, to end: Int) -> Latents {
        let (alpha, endAlpha) = (schedule.alpha(at: start), schedule.alpha(at: end))
        let (beta, endBeta) = (1 - alpha, 1 - endAlpha)
        let epsilon = prediction.epsilon(latents, output, alpha: alpha)
        let scale = (endAlpha / alpha).squareRoot()
        let divisor = alpha * endBeta.squareRoot() + (alpha * beta * endAlpha).squareRoot()
        return scale * latents - (endAlpha - alpha) * epsilon / divisor
    }
}
