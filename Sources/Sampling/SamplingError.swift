/// Why latents cannot be sampled.
public enum SamplingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The number of steps is below 1, or above what the model was trained with.
    case stepsOutOfRange(steps: Int, maximum: Int)
    /// This sampler's start needs more steps.
    case tooFewSteps(sampler: String, steps: Int, minimum: Int)
    /// The noisiest timestep would lie past those the model was trained with.
    case timestepOutOfRange(timestep: Int, trainTimesteps: Int, steps: Int, stepsOffset: Int)
    /// The model's scheduler configuration asks for what the sampler does not have.
    case unsupportedSetting(sampler: String, key: String, value: String, supported: [String])
    case unknownSampler(name: String, nearest: [String], known: [String])
    case unknownSchedule(name: String, nearest: [String], known: [String])
    /// The schedule has no exponent ρ.
    case noRho(schedule: String)
    case rhoOutOfRange(Double)
    /// A sampler over timesteps has no schedule to choose.
    case noSchedule(sampler: String)
    /// Noise levels that do not fall, or are not numbers from 0 to 10,000.
    case sigmasNotFalling([Double])
    /// Timesteps are none of the training's, or do not fall.
    case timestepsNotFalling([Int], limit: Int)
    /// A sampler that has timesteps of its own is given others.
    case noTimesteps(sampler: String)
    /// A guidance scale that is infinite or not a number.
    case guidanceScaleNotFinite(Double)
    /// A setting of guidance that lies outside 0…1.
    case guidanceOutOfRange(field: String, value: Double)
    /// DDIM's eta lies outside 0…1.
    case etaOutOfRange(Double)
    /// The model's output, or what a sampler made of it, is infinite or not a number.
    case notFinite(step: Int, stepCount: Int, timestep: Float, index: Int, source: NotFiniteSource)
    /// Two shapes that must be equal are not: [batch, channels, height, width].
    case shapeMismatch(expected: [Int], actual: [Int])
    /// An extent below 1, too many values, or not as many values as the shape says.
    case latentsShape(batch: Int, channels: Int, height: Int, width: Int, count: Int?)
    /// There must be noise for each picture.
    case pictureCountMismatch(latents: Int, noise: Int)

    public enum NotFiniteSource: String, Sendable, Hashable {
        case modelOutput = "the model's output"
        case latents = "the latents"
    }

    public var description: String {
        switch self {
        case .stepsOutOfRange(let steps, let maximum):
            "steps is \(steps); give a whole number from 1 to \(maximum), as many as the model was trained with"
        case .tooFewSteps(let sampler, let steps, let minimum):
            "steps is \(steps), but the sampler \(sampler) starts with Runge–Kutta steps here and needs at least "
                + "\(minimum); give more steps or another sampler"
        case .timestepOutOfRange(let timestep, let trainTimesteps, let steps, let stepsOffset):
            "with \(steps) steps and steps_offset \(stepsOffset) the first timestep would be \(timestep), but the "
                + "model was trained on timesteps 0 to \(trainTimesteps - 1); give fewer steps"
        case .unsupportedSetting(let sampler, let key, let value, let supported):
            "the sampler \(sampler) does not have the model's scheduler setting \(key) = \(value), only "
                + supported.joined(separator: ", ") + "; choose another sampler"
        case .unknownSampler(let name, let nearest, let known):
            Self.unknown("sampler", name, nearest, known)
        case .unknownSchedule(let name, let nearest, let known):
            Self.unknown("schedule", name, nearest, known)
        case .noRho(let schedule):
            "the schedule \(schedule) has no rho; choose karras or polyexponential, or leave it out"
        case .rhoOutOfRange(let rho): "rho is \(rho); give a number above 0, to 100"
        case .noSchedule(let sampler):
            "the sampler \(sampler) goes by the training's timesteps and takes no schedule or sigmas; leave them out "
                + "or choose another sampler, such as euler"
        case .sigmasNotFalling(let sigmas):
            "the sigmas \(sigmas.prefix(8).map { "\($0)" }.joined(separator: ", "))"
                + (sigmas.count > 8 ? ", …" : "")
                + " are not a list of numbers that fall, from 10000 at most to 0"
        case .timestepsNotFalling(let timesteps, let limit):
            "the timesteps \(timesteps.prefix(8).map { "\($0)" }.joined(separator: ", "))"
                + (timesteps.count > 8 ? ", …" : "")
                + " are not a list of whole numbers that fall, from \(limit) at most to 0 at least"
        case .noTimesteps(let sampler):
            "the sampler \(sampler) has timesteps of its own and takes no others; leave them out or choose another "
                + "sampler, such as euler or lcm"
        case .guidanceScaleNotFinite(let scale):
            "the guidance scale is \(scale); give a finite number, such as 7.5"
        case .guidanceOutOfRange(let field, let value):
            "the \(field) has \(value); give numbers from 0 to 1"
        case .etaOutOfRange(let eta):
            "eta is \(eta); give a number from 0 (no noise added) to 1"
        case .notFinite(let step, let stepCount, let timestep, let index, let source):
            "\(source.rawValue) at step \(step + 1) of \(stepCount) (timestep \(timestep)) is infinite or not a "
                + "number, first at value \(index); the weights may be damaged; else try a lower guidance scale or, where it was "
                + "another, --precision f32"
        case .shapeMismatch(let expected, let actual):
            "the shape is \(actual), but \(expected) ([batch, channels, height, width]) was expected"
        case .latentsShape(let batch, let channels, let height, let width, let count):
            "latents of shape [\(batch), \(channels), \(height), \(width)] "
                + (count.map { "do not have \($0) values" }
                    ?? "are not possible: too large, or an extent below 1")
        case .pictureCountMismatch(let latents, let noise):
            "there are latents for \(latents) pictures, but noise for \(noise)"
        }
    }

    private static func unknown(_ kind: String, _ name: String, _ nearest: [String], _ known: [String])
        -> String
    {
        let meant = nearest.isEmpty ? "" : "; did you mean " + nearest.joined(separator: " or ") + "?"
        return "there is no \(kind) \"\(name)\"" + meant + " There are " + known.joined(separator: ", ")
    }
}
