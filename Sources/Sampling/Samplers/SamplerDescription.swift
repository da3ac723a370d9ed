/// A sampler's entry in the catalogue.
public struct SamplerDescription: Sendable {
    /// Its name here, in kebab-case.
    public let name: String
    /// Its name in AUTOMATIC1111, which pictures' metadata have; one of that kind where it has none there.
    public let label: String
    /// ComfyUI's and others' names for it; letter case does not count.
    public let aliases: [String]
    /// What it is, in a line.
    public let summary: String
    /// diffusers' scheduler class with the same update rule; nil where it has none.
    public let schedulerClass: String?
    /// How often it asks the model a step.
    public let callsPerStep: Int
    /// The schedule that AUTOMATIC1111 gives it unless another is asked for; nil for samplers over timesteps.
    public let automaticSchedule: String?
    /// Which programs leave out the last noise level but one.
    private let leavesOutALevel: Set<ScheduleConvention>
    /// Whether it draws noise at its steps.
    public let isStochastic: Bool
    /// Whether its steps depend on the latents, so that pictures are sampled one by one to stay the same in a batch.
    public var isAdaptive: Bool { name == "dpm-adaptive" }
    private let build: @Sendable (SchedulerConfiguration, Int, SamplerOptions) throws -> any Sampler

    /// - Parameters:
    ///   - takesTimesteps: Whether others than its own can be given.
    ///   - build: For a sampler over the training's timesteps.
    init(
        _ name: String, label: String, aliases: [String] = [], schedulerClass: String? = nil,
        isStochastic: Bool = false, takesTimesteps: Bool = false,
        summary: String,
        build: @escaping @Sendable (SchedulerConfiguration, Int, SamplerOptions) throws -> any Sampler
    ) {
        self.init(
            name, label: label, aliases: aliases, schedulerClass: schedulerClass, callsPerStep: 1,
            isStochastic: isStochastic, automaticSchedule: nil, leavesOutALevel: [], summary: summary
        ) { configuration, steps, options in
            guard options.levels.schedule == nil, options.levels.sigmas == nil, options.levels.rho == nil
            else {
                throw SamplingError.noSchedule(sampler: name)
            }
            guard takesTimesteps || options.levels.timesteps == nil else {
                throw SamplingError.noTimesteps(sampler: name)
            }
            return try build(options.levels.convention.adapted(configuration), steps, options)
        }
    }

    /// - Parameters:
    ///   - grid: Where diffusers' class has the model's own timesteps.
    ///   - settings: Which of the model's settings of noise levels diffusers' class has.
    ///   - make: The sampler over the noise levels.
    init(
        _ name: String, label: String, aliases: [String] = [], schedulerClass: String? = nil,
        callsPerStep: Int = 1,
        isStochastic: Bool = false, grid: TimestepGrid, settings: LevelSettings = .all,
        automaticSchedule: String = "normal",
        leavesOutALevel: Set<ScheduleConvention> = [], summary: String,
        over make:
            @escaping @Sendable (NoiseLevels, LatentScale, SchedulerConfiguration, SamplerOptions) throws ->
            any Sampler
    ) {
        self.init(
            name, label: label, aliases: aliases, schedulerClass: schedulerClass, callsPerStep: callsPerStep,
            isStochastic: isStochastic, automaticSchedule: automaticSchedule,
            leavesOutALevel: leavesOutALevel,
            summary: summary
        ) { configuration, steps, options in
            if let eta = options.eta, !(0...1).contains(eta) { throw SamplingError.etaOutOfRange(eta) }
            let convention = options.levels.convention
            guard convention == .diffusers else {
                let isGiven = options.levels.sigmas != nil || options.levels.timesteps != nil
                var (options, levelOptions) = (options, options.levels)
                levelOptions.schedule =
                    levelOptions.schedule ?? (convention == .automatic1111 ? automaticSchedule : "normal")
                var levels = try NoiseLevels(
                    configuration, grid: grid, steps: steps, options: levelOptions,
                    leavesOutALevel: leavesOutALevel.contains(convention) && !isGiven, sampler: name)
                guard convention == .comfyUI else { return try make(levels, .noise, configuration, options) }
                if options.firstStep > 0, !isGiven {
                    // ComfyUI takes as many steps from the end; some schedules have more levels than steps, or fewer.
                    options.firstStep = max(levels.stepCount - max(steps - options.firstStep, 0), 0)
                }
                levels.rangeStart = min(max(options.firstStep, 0), levels.stepCount - 1)
                return try make(levels, .varianceFrom(levels.trained.largest), configuration, options)
            }
            let own = settings.kept(of: configuration)
            let levels = try NoiseLevels(
                own, grid: grid, steps: steps, options: options.levels, sampler: name)
            let spacing = own.timestepSpacing ?? .linspace
            let scale: LatentScale =
                grid != .ends ? .variancePreserving : spacing == .leading ? .variance : .noise
            return try make(levels, scale, own, options)
        }
    }

    /// - Parameters:
    ///   - grid: Where diffusers' class has the model's own timesteps.
    ///   - settings: Which of the model's settings of noise levels diffusers' class has.
    ///   - rule: The update rule.
    init<Rule: UpdateRule>(
        _ name: String, label: String, aliases: [String] = [], schedulerClass: String? = nil,
        callsPerStep: Int = 1,
        isStochastic: Bool = false, grid: TimestepGrid, settings: LevelSettings = .all,
        automaticSchedule: String = "normal",
        leavesOutALevel: Set<ScheduleConvention> = [], summary: String,
        rule: @escaping @Sendable (SchedulerConfiguration, SamplerOptions) throws -> Rule
    ) {
        self.init(
            name, label: label, aliases: aliases, schedulerClass: schedulerClass, callsPerStep: callsPerStep,
            isStochastic: isStochastic, grid: grid, settings: settings, automaticSchedule: automaticSchedule,
            leavesOutALevel: leavesOutALevel, summary: summary
        ) { levels, scale, configuration, options in
            SigmaSampler(
                try rule(configuration, options), levels: levels, prediction: configuration.predictionType,
                scale: scale, firstStep: options.firstStep)
        }
    }

    private init(
        _ name: String, label: String, aliases: [String] = [], schedulerClass: String?, callsPerStep: Int,
        isStochastic: Bool, automaticSchedule: String?, leavesOutALevel: Set<ScheduleConvention>,
        summary: String,
        build: @escaping @Sendable (SchedulerConfiguration, Int, SamplerOptions) throws -> any Sampler
    ) {
        self.name = name
        self.label = label
        self.aliases = aliases
        self.schedulerClass = schedulerClass
        self.callsPerStep = callsPerStep
        self.isStochastic = isStochastic
        self.automaticSchedule = automaticSchedule
        self.leavesOutALevel = leavesOutALevel
        self.summary = summary
        self.build = build
    }

    /// The sampler, at its first step, with the model's settings as diffusers' `from_config` carries them over.
    ///
    /// - Parameter steps: From 1 to the timesteps the model was trained with.
    /// - Throws: ``SamplingError``.
    public func sampler(
        _ configuration: SchedulerConfiguration, steps: Int, options: SamplerOptions = SamplerOptions()
    ) throws -> any Sampler {
        try build(configuration, steps, options)
    }
}

extension ScheduleConvention {
    /// A model's settings as the program has them for samplers over the training's timesteps: AUTOMATIC1111 visits every
    /// n-th timestep from 1 on, as many as there are, and ends at the first.
    fileprivate func adapted(_ configuration: SchedulerConfiguration) -> SchedulerConfiguration {
        guard self == .automatic1111 else { return configuration }
        var adapted = configuration
        (adapted.timestepSpacing, adapted.stepsOffset) = (.leading, 1)
        adapted.visitsEveryStride = true
        adapted.setAlphaToOne = false
        return adapted
    }
}
