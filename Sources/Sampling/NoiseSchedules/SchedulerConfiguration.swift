import Checkpoints

/// What the network's output is, by diffusers' names.
public enum PredictionType: String, Sendable, Hashable, CaseIterable {
    /// The noise ε.
    case epsilon
    /// The velocity √ᾱ·ε − √(1−ᾱ)·x₀ (Salimans and Ho, 2022).
    case vPrediction = "v_prediction"
    /// The picture x₀.
    case sample
}

/// How the timesteps to visit are spread over those trained with (Lin et al., 2023, table 2).
public enum TimestepSpacing: String, Sendable, Hashable, CaseIterable {
    case leading, linspace, trailing
}

/// How the noise of a training step grows, by diffusers' names.
public enum BetaSchedule: String, Sendable, Hashable, CaseIterable {
    case linear
    /// Linear in √β: Stable Diffusion's.
    case scaledLinear = "scaled_linear"
    /// Nichol and Dhariwal's cosine schedule, 2021.
    case squaredCosine = "squaredcos_cap_v2"
}

/// A model's `scheduler_config.json`, as diffusers reads it for any of its schedulers.
///
/// Where a key is missing and diffusers' schedulers differ in its default, the value is nil and the sampler gives
/// its own; so a configuration written for one sampler serves another as `from_config` makes it do.
public struct SchedulerConfiguration: Sendable, Hashable {
    /// diffusers' scheduler class, such as `PNDMScheduler`; nil where none is named.
    public var className: String?
    public var trainTimesteps = 1000
    public var betaStart = 0.0001
    public var betaEnd = 0.02
    public var betaSchedule = BetaSchedule.linear
    /// The βs themselves, one a training timestep; instead of the three above.
    public var trainedBetas: [Double]?
    public var rescaleBetasZeroSNR = false
    /// Whether the model's file has the setting above, whatever was asked for since.
    private(set) var fileRescalesBetas = false
    public var predictionType = PredictionType.epsilon
    public var timestepSpacing: TimestepSpacing?
    public var stepsOffset = 0
    /// Whether `leading` goes on to the last timestep where the steps do not divide their count: AUTOMATIC1111's.
    var visitsEveryStride = false
    /// Whether ᾱ counts as 1 before the first timestep; else it is that of timestep 0.
    public var setAlphaToOne: Bool?
    /// PNDM: no Runge–Kutta steps at the start.
    public var skipRungeKuttaSteps = false
    /// DDIM: clip the predicted picture to ±``clipSampleRange``.
    public var clipSample = true
    public var clipSampleRange = 1.0
    /// DDIM: dynamic thresholding (Saharia et al., 2022), which latents do not use.
    public var thresholding = false
    /// `linear` or `log_linear`.
    public var interpolationType = "linear"
    /// The sigmas of Karras et al., 2022, equation 5.
    public var useKarrasSigmas = false
    public var useExponentialSigmas = false
    public var useBetaSigmas = false
    public var sigmaMinimum: Double?
    public var sigmaMaximum: Double?
    /// `discrete` or `continuous`.
    public var timestepType = "discrete"
    /// `zero` or `sigma_min`.
    public var finalSigmasType = "zero"
    /// DPM-Solver: `dpmsolver++` or, for the stochastic equation, `sde-dpmsolver++`.
    public var algorithmType = "dpmsolver++"
    /// DPM-Solver, DEIS and UniPC.
    public var solverOrder = 2
    /// DPM-Solver: `midpoint` or `heun`; UniPC: `bh1` or `bh2`; nil is the solver's own.
    public var solverType: String?
    /// DPM-Solver and DEIS: whether the last of fewer than 15 steps is of order 1; UniPC: whether the last ever is.
    public var lowerOrderFinal = true
    /// DPM-Solver: whether the last step is of order 1 however many there are.
    public var eulerAtFinal = false
    /// DPM-Solver: the largest −log σ that is left out.
    public var lambdaMinClipped = -Double.infinity
    /// DPM-Solver: the levels of Lu et al., 2022, which are not here.
    public var useLuLambdas = false
    /// Levels of flow matching, which Stable Diffusion is not.
    public var useFlowSigmas = false
    /// DPM-Solver: `learned` variances are in the network's output; DDPM: which of the paper's variances.
    public var varianceType: String?
    /// UniPC: whether it goes by the predicted picture, not by the noise.
    public var predictsOriginal = true
    /// UniPC: the steps that are not corrected.
    public var disableCorrector: [Int] = []

    public init() {}

    /// Reads `scheduler_config.json`.
    ///
    /// - Throws: `ConfigurationError` where a value has another type or is out of range.
    public init(_ file: Configuration) throws {
        let all = file
        let positive = Double.leastNonzeroMagnitude...1.0.nextDown
        // Keys that diffusers filled in with a scheduler's defaults do not count for another.
        let unset = Set(try all.strings("_use_default_values", default: []))
        func given(_ key: String) -> Bool { all.has(key) && !unset.contains(key) }
        func bool(_ key: String, default value: Bool) throws -> Bool {
            given(key) ? try all.bool(key) : value
        }
        func choice<Value: RawRepresentable & CaseIterable>(_ key: String, _ type: Value.Type) throws
            -> Value?
        where Value.RawValue == String {
            guard given(key) else { return nil }
            guard let value = Value(rawValue: try all.string(key)) else {
                throw all.error(
                    key, expected: "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return value
        }
        func number(_ key: String, default value: Double, in range: ClosedRange<Double>) throws -> Double {
            given(key) ? try all.number(key, in: range) : value
        }

        className = try all.optionalString("_class_name")
        if given("num_train_timesteps") {
            trainTimesteps = try all.integer("num_train_timesteps", in: 1...100_000)
        }
        betaStart = try number("beta_start", default: betaStart, in: positive)
        betaEnd = try number("beta_end", default: betaEnd, in: positive)
        betaSchedule = try choice("beta_schedule", BetaSchedule.self) ?? betaSchedule
        if given("trained_betas") {
            let betas = try all.numbers("trained_betas", in: positive)
            guard betas.count == trainTimesteps else {
                throw all.error(
                    "trained_betas",
                    expected: "a list of as many numbers as num_train_timesteps, \(trainTimesteps)")
            }
            trainedBetas = betas
        }
        rescaleBetasZeroSNR = try bool("rescale_betas_zero_snr", default: false)
        fileRescalesBetas = rescaleBetasZeroSNR
        predictionType = try choice("prediction_type", PredictionType.self) ?? .epsilon
        timestepSpacing = try choice("timestep_spacing", TimestepSpacing.self)
        if given("steps_offset") { stepsOffset = try all.integer("steps_offset", in: 0...trainTimesteps - 1) }
        setAlphaToOne = given("set_alpha_to_one") ? try all.bool("set_alpha_to_one") : nil
        skipRungeKuttaSteps = try bool("skip_prk_steps", default: false)
        clipSample = try bool("clip_sample", default: true)
        clipSampleRange = try number(
            "clip_sample_range", default: 1, in: Double.leastNonzeroMagnitude...1e30)
        thresholding = try bool("thresholding", default: false)
        if given("interpolation_type") { interpolationType = try all.string("interpolation_type") }
        useKarrasSigmas = try bool("use_karras_sigmas", default: false)
        useExponentialSigmas = try bool("use_exponential_sigmas", default: false)
        useBetaSigmas = try bool("use_beta_sigmas", default: false)
        let sigmas = Double.leastNonzeroMagnitude...1e30
        sigmaMinimum = given("sigma_min") ? try all.number("sigma_min", in: sigmas) : nil
        sigmaMaximum = given("sigma_max") ? try all.number("sigma_max", in: sigmas) : nil
        if given("timestep_type") { timestepType = try all.string("timestep_type") }
        if given("final_sigmas_type") { finalSigmasType = try all.string("final_sigmas_type") }
        if given("algorithm_type") { algorithmType = try all.string("algorithm_type") }
        if given("solver_order") { solverOrder = try all.integer("solver_order", in: 1...8) }
        if given("solver_type") { solverType = try all.string("solver_type") }
        lowerOrderFinal = try bool("lower_order_final", default: true)
        eulerAtFinal = try bool("euler_at_final", default: false)
        lambdaMinClipped = try number(
            "lambda_min_clipped", default: lambdaMinClipped, in: -Double.infinity...1e30)
        useLuLambdas = try bool("use_lu_lambdas", default: false)
        useFlowSigmas = try bool("use_flow_sigmas", default: false)
        if given("variance_type") { varianceType = try all.optionalString("variance_type") }
        predictsOriginal = try bool("predict_x0", default: true)
        if given("disable_corrector") {
            disableCorrector = try all.integers("disable_corrector", in: 0...1_000_000)
        }
    }

    /// The configuration as diffusers' Stable Diffusion pipelines correct it: `steps_offset` 1 and no clipping,
    /// whatever an outdated file says. Latents reach past ±1; clipping them spoils the picture.
    public func correctedForStableDiffusion() -> SchedulerConfiguration {
        var corrected = self
        corrected.stepsOffset = min(1, trainTimesteps - 1)
        corrected.clipSample = false
        return corrected
    }
}

extension SchedulerConfiguration {
    /// Refuses a setting that a sampler does not have, rather than ignoring it.
    ///
    /// - Throws: ``SamplingError/unsupportedSetting(sampler:key:value:supported:)``.
    func refuse(
        _ key: String, _ value: String, sampler: String, unlessOneOf supported: [String]
    ) throws {
        guard supported.contains(value) else {
            throw SamplingError.unsupportedSetting(
                sampler: sampler, key: key, value: value, supported: supported)
        }
    }

    /// Refuses dynamic thresholding, which is for pictures and not for latents.
    func refuseThresholding(sampler: String) throws {
        try refuse("thresholding", "\(thresholding)", sampler: sampler, unlessOneOf: ["false"])
    }
}
