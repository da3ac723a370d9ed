/// Pseudo numerical methods for diffusion models: Liu et al., 2022, algorithm 2; as diffusers' `PNDMScheduler`.
///
/// A linear multistep rule of order 4. Its first steps are three of pseudo Runge–Kutta, four model calls each; or,
/// with `skip_prk_steps` as for Stable Diffusion (PLMS), multistep rules of lower order after a first step that is
/// taken twice. Each model call counts as a step, as in diffusers: there is one more than asked for, or nine.
public struct PNDM: Sampler {
    public let initialNoiseScale: Float = 1
    /// Those that the model is asked at, noisiest first.
    public let timesteps: [Int]
    private let schedule: NoiseSchedule
    private let prediction: PredictionType
    /// How many of ``timesteps`` are of Runge–Kutta steps.
    private let rungeKuttaCount: Int
    private let stride: Int
    private let first: Int
    private var next: Int
    /// The model's last outputs, newest last, at most four.
    private var outputs: [Latents] = []
    /// What the step under way started from.
    private var start: Latents?
    /// The weighted outputs of the Runge–Kutta step under way.
    private var sum: Latents?

    public var stepCount: Int { timesteps.count - first }
    public var isFinished: Bool { next == timesteps.count }

    /// - Parameters:
    ///   - steps: From 1 to the timesteps trained with; from 4 with Runge–Kutta steps.
    ///   - firstStep: How many of the model's calls are left out, as image-to-image does; at most all.
    ///   - skipsRungeKutta: Whether to begin with multistep rules, as is also done where steps are left out; nil is
    ///     as the configuration says.
    /// - Throws: ``SamplingError``.
    public init(
        _ configuration: SchedulerConfiguration, steps: Int, firstStep: Int = 0, skipsRungeKutta: Bool? = nil
    ) throws {
        guard configuration.predictionType != .sample else {
            throw SamplingError.unsupportedSetting(
                sampler: "pndm", key: "prediction_type", value: "sample",
                supported: ["epsilon", "v_prediction"])
        }
        let all = try Timesteps(configuration, spacing: .leading).whole(steps: steps)
        stride = configuration.trainTimesteps / steps
        if skipsRungeKutta ?? configuration.skipRungeKuttaSteps || firstStep > 0 {
            rungeKuttaCount = 0
            timesteps = Array(all.prefix(2) + all.dropFirst())
        } else {
            guard steps >= 4 else {
                throw SamplingError.tooFewSteps(sampler: "pndm", steps: steps, minimum: 4)
            }
            let half = stride / 2
            let begin = (0..<3).flatMap { step -> [Int] in
                let (start, end) = (all[step], all[step + 1])
                return [start, end + half, end + half, end]
            }
            rungeKuttaCount = begin.count
            timesteps = begin + all.dropFirst(3)
        }
        schedule = NoiseSchedule(configuration, setAlphaToOne: false, rescalesBetas: false)
        prediction = configuration.predictionType
        first = min(max(firstStep, 0), timesteps.count)
        next = first
    }

    public func noised(_ original: Latents, with noise: Latents) -> Latents {
        isFinished ? original : schedule.noised(original, with: noise, at: timesteps[next])
    }

    public mutating func step(
        _ latents: Latents, model: DenoisingModel, noise: inout PictureNoise
    ) async throws -> SamplerStep {
        let timestep = timesteps[next]
        let output = try await model(latents, timestep: Float(timestep))
        let original = prediction.original(latents, output, alpha: schedule.alpha(at: timestep))
        let result =
            next - first < rungeKuttaCount
            ? rungeKuttaStage(latents, output) : multistep(latents, output, at: timestep)
        next += 1
        return SamplerStep(latents: result, timestep: Float(timestep), predictedOriginal: original)
    }

    /// A stage of equation 13, whose outputs are at the start, twice at the middle and at the end.
    private mutating func rungeKuttaStage(_ latents: Latents, _ output: Latents) -> Latents {
        let stage = (next - first) % 4
        let begin = timesteps[next - stage]
        let weighted = (stage == 0 || stage == 3 ? Float(1.0 / 6) : Float(1.0 / 3)) * output
        if stage == 0 {
            outputs = outputs.suffix(3) + [output]
            start = latents
            sum = nil
        }
        sum = sum.map { $0 + weighted } ?? weighted
        let end = timesteps[next] - (stage % 2 == 0 ? stride / 2 : 0)
        return transfer(start ?? latents, stage == 3 ? sum ?? output : output, from: begin, to: end)
    }

    /// Adams–Bashforth; the first step is taken again from the mean of the outputs at both its ends.
    private mutating func multistep(_ latents: Latents, _ output: Latents, at timestep: Int) -> Latents {
        if rungeKuttaCount == 0, next == first + 1, let start, let before = outputs.last {
            return transfer(start, (output + before) / 2, from: timestep + stride, to: timestep)
        }
        outputs = outputs.suffix(3) + [output]
        start = latents
        return transfer(latents, multistepOutput, from: timestep, to: timestep - stride)
    }

    /// Equation 12 with four outputs, lower orders with fewer.
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
