/// The noise levels that a sampler passes through, noisiest first, and the timesteps that the network is told.
///
/// Its latents are x₀ + σ·ε (Karras et al., 2022).
public struct NoiseLevels: Sendable, Hashable {
    /// σ at the start of each step, and at the end of the last: 0, or the smallest trained.
    public let sigmas: [Double]
    /// The training timestep of each step's start; between two where the level is.
    public let timesteps: [Double]
    let trained: TrainedSigmas
    /// Where the range begins that noise is drawn over: ComfyUI knows of no levels before the first that it takes.
    var rangeStart = 0

    public var stepCount: Int { timesteps.count }

    /// From the least level above 0 to the largest, or to that of ``rangeStart``.
    var range: ClosedRange<Double> { (sigmas.last { $0 > 0 } ?? 0)...sigmas[rangeStart] }

    /// The levels of a request.
    ///
    /// - Parameters:
    ///   - grid: Where diffusers' class of that sampler puts the model's own timesteps.
    ///   - steps: From 1 to the timesteps trained with; ComfyUI plans more than those, and takes the last.
    ///   - leavesOutALevel: Whether there is one level more, of which the last but one is left out; with a schedule only.
    /// - Throws: ``SamplingError``.
    init(
        _ configuration: SchedulerConfiguration, grid: TimestepGrid, steps: Int,
        options: NoiseLevelOptions = NoiseLevelOptions(), leavesOutALevel: Bool = false, sampler: String
    ) throws {
        try configuration.refuseUnsupportedLevels(sampler: sampler)
        // 2⁻²⁴, so that the first sigma is finite where the signal-to-noise ratio was rescaled to 0.
        let trained = TrainedSigmas(
            NoiseSchedule(configuration, setAlphaToOne: false, rescalesBetas: true, least: 0x1p-24))
        if let given = options.sigmas {
            if options.rho != nil { throw SamplingError.noRho(schedule: "of given sigmas") }
            self = try NoiseLevels(given, trained: trained)
            return
        }
        if let given = options.timesteps {
            if options.rho != nil { throw SamplingError.noRho(schedule: "of given timesteps") }
            let timesteps = try configuration.checked(given).map { Double($0) }
            self.init(
                sigmas: timesteps.map { trained.sigma(at: $0) } + [0], timesteps: timesteps, trained: trained)
            return
        }
        let last = configuration.finalSigmasType == "sigma_min" ? trained.smallest : 0
        func ownTimesteps() throws -> [Double] {
            try grid.timesteps(configuration, steps: steps).map { Double(Float($0)) }
        }
        guard let scheduleName = options.schedule ?? configuration.scheduleName else {
            if options.rho != nil { throw SamplingError.noRho(schedule: "of the model") }
            let own = try ownTimesteps()
            self.init(
                sigmas: own.map { trained.sigma(at: $0) } + [
                    grid == .untilSmallest ? trained.smallest : last
                ],
                timesteps: own, trained: trained)
            return
        }
        let maximum =
            options.convention == .comfyUI ? Self.mostPlannedSteps : configuration.trainTimesteps
        guard (1...maximum).contains(steps) else {
            throw SamplingError.stepsOutOfRange(steps: steps, maximum: maximum)
        }
        var ends = (trained.smallest, trained.largest)
        if grid == .ends, options.convention == .diffusers {
            let own = try ownTimesteps()
            ends = (trained.sigma(at: own[own.count - 1]), trained.sigma(at: own[0]))
        }
        let smallest = configuration.sigmaMinimum ?? ends.0
        let largest = max(configuration.sigmaMaximum ?? ends.1, smallest)
        let schedule = try ScheduleCatalogue.named(scheduleName).schedule(options)
        let sigmas = schedule.sigmas(
            steps: leavesOutALevel ? steps + 1 : steps, range: smallest...largest, trained: trained)
        let places = sigmas.map { trained.timestep(at: $0) }
        self.init(
            sigmas: sigmas + [
                schedule.endsAtSmallest
                    ? smallest
                    : grid == .untilSmallest && options.convention == .diffusers
                        ? sigmas[sigmas.count - 1] : last
            ],
            timesteps: options.convention == .diffusers ? grid.told(places, schedule: scheduleName) : places,
            trained: trained)
        if leavesOutALevel { self = withoutTheLastButOne }
    }

    /// Where pictures keep all but a trace, ComfyUI plans very many steps to take few of them.
    private static let mostPlannedSteps = 1_000_000

    /// Levels that someone chose; a 0 is put after the last where it is missing.
    ///
    /// - Throws: ``SamplingError/sigmasNotFalling(_:)``.
    private init(_ sigmas: [Double], trained: TrainedSigmas) throws {
        let whole = sigmas.last == 0 ? sigmas : sigmas + [0]
        guard whole.count > 1, whole.allSatisfy({ $0.isFinite && $0 >= 0 }), whole[0] <= 1e4,
            zip(whole, whole.dropFirst()).allSatisfy({ $0 > $1 })
        else { throw SamplingError.sigmasNotFalling(sigmas) }
        self.init(
            sigmas: whole, timesteps: whole.dropLast().map { trained.timestep(at: $0) }, trained: trained)
    }

    init(sigmas: [Double], timesteps: [Double], trained: TrainedSigmas) {
        // What the network and the latents are computed with is float32.
        self.sigmas = sigmas.map { Double(Float($0)) }
        self.timesteps = timesteps.map { Double(Float($0)) }
        self.trained = trained
    }

    /// The same with one level less, from the last one to the end in one step.
    private var withoutTheLastButOne: NoiseLevels {
        guard stepCount > 1 else { return self }
        var (sigmas, timesteps) = (sigmas, timesteps)
        sigmas.remove(at: sigmas.count - 2)
        timesteps.removeLast()
        return NoiseLevels(sigmas: sigmas, timesteps: timesteps, trained: trained)
    }

    /// The timestep that the network is told at a noise level: a step's own, or one in between.
    func timestep(at sigma: Double) -> Double {
        guard let index = sigmas.firstIndex(of: sigma), index < timesteps.count else {
            return trained.timestep(at: sigma)
        }
        return timesteps[index]
    }
}

/// What a user may set of the noise levels.
public struct NoiseLevelOptions: Sendable, Hashable {
    /// The name of a schedule; nil for the model's own.
    public var schedule: String?
    /// The exponent ρ of the schedules that have one, above 0, to 100; nil for the schedule's own.
    public var rho: Double?
    /// The noise levels themselves, falling; instead of a schedule and a number of steps.
    public var sigmas: [Double]?
    /// The training's timesteps to visit, falling; instead of a schedule and a number of steps.
    public var timesteps: [Int]?
    /// Whose definition of a schedule is followed.
    public var convention: ScheduleConvention

    public init(
        schedule: String? = nil, rho: Double? = nil, sigmas: [Double]? = nil, timesteps: [Int]? = nil,
        convention: ScheduleConvention = .diffusers
    ) {
        self.schedule = schedule
        self.rho = rho
        self.sigmas = sigmas
        self.timesteps = timesteps
        self.convention = convention
    }
}

/// Where a sampler's steps start in the training's timesteps, as diffusers' scheduler classes have it.
enum TimestepGrid: Sendable {
    /// From the last timestep to the first, both being steps' starts: Euler, Heun, LMS, …
    case ends
    /// One more timestep than steps, all whole, of which the last is left out: DPM-Solver, UniPC.
    case intervals
    /// As ``intervals``, but the last step ends at the smallest trained level: DEIS.
    case untilSmallest

    func timesteps(_ configuration: SchedulerConfiguration, steps: Int) throws -> [Double] {
        let timesteps = Timesteps(configuration, spacing: .linspace)
        return self == .ends
            ? try timesteps.fractional(steps: steps) : try timesteps.intervals(steps: steps)
    }

    /// The timesteps that the network is told for those of a schedule's levels.
    func told(_ timesteps: [Double], schedule: String) -> [Double] {
        guard self != .ends else { return timesteps }
        return timesteps.map { schedule == "karras" ? $0.rounded(.toNearestOrEven) : $0.rounded(.down) }
    }
}

extension SchedulerConfiguration {
    /// The schedule that the configuration names; nil for the timesteps' own.
    fileprivate var scheduleName: String? {
        let named = [
            (useKarrasSigmas, "karras"), (useExponentialSigmas, "exponential"), (useBetaSigmas, "beta"),
        ]
        return named.first { $0.0 }?.1
    }

    /// Refuses settings of levels that are not here, rather than ignoring them.
    fileprivate func refuseUnsupportedLevels(sampler: String) throws {
        try refuse("interpolation_type", interpolationType, sampler: sampler, unlessOneOf: ["linear"])
        try refuse("timestep_type", timestepType, sampler: sampler, unlessOneOf: ["discrete"])
        try refuse(
            "final_sigmas_type", finalSigmasType, sampler: sampler, unlessOneOf: ["zero", "sigma_min"])
        try refuse("use_lu_lambdas", "\(useLuLambdas)", sampler: sampler, unlessOneOf: ["false"])
        try refuse("use_flow_sigmas", "\(useFlowSigmas)", sampler: sampler, unlessOneOf: ["false"])
        try refuse("lambda_min_clipped", "\(lambdaMinClipped)", sampler: sampler, unlessOneOf: ["-inf"])
        try refuseThresholding(sampler: sampler)
    }
}
