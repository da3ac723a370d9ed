/// A sampler's entry in the catalogue.
public struct SamplerDescription: Sendable {
    /// Its name here, in kebab-case.
    public let name: String
    /// AUTOMATIC1111's and diffusers' names for it; letter case does not count.
    public let aliases: [String]
    /// What it is, in a line.
    public let summary: String
    /// diffusers' scheduler class with the same update rule.
    public let schedulerClass: String
    private let build: @Sendable (SchedulerConfiguration, Int, SamplerOptions) throws -> any Sampler

    init(
        _ name: String, aliases: [String], schedulerClass: String, summary: String,
        build: @escaping @Sendable (SchedulerConfiguration, Int, SamplerOptions) throws -> any Sampler
    ) {
        self.name = name
        self.aliases = aliases
        self.schedulerClass = schedulerClass
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

/// What a user may set of a sampler's rule.
public struct SamplerOptions: Sendable, Hashable {
    /// How much noise each step adds, from 0 to 1; nil for the sampler's own default.
    public var eta: Double?

    public init(eta: Double? = nil) { self.eta = eta }
}

/// The samplers there are.
public enum SamplerCatalogue {
    public static let all: [SamplerDescription] = [
        SamplerDescription(
            "pndm", aliases: ["PLMS"], schedulerClass: "PNDMScheduler",
            summary: "linear multistep of order 4; Stable Diffusion's own"
        ) { configuration, steps, _ in try PNDM(configuration, steps: steps) },
        SamplerDescription(
            "ddim", aliases: [], schedulerClass: "DDIMScheduler",
            summary: "implicit steps; with eta above 0, adds noise"
        ) { configuration, steps, options in try DDIM(configuration, steps: steps, eta: options.eta ?? 0) },
        SamplerDescription(
            "euler", aliases: ["k_euler"], schedulerClass: "EulerDiscreteScheduler",
            summary: "Euler's method; plain and dependable"
        ) { configuration, steps, _ in try Euler(configuration, steps: steps) },
    ]

    /// The sampler of a name, an alias or a diffusers class; letter case does not count.
    ///
    /// - Throws: ``SamplingError/unknownSampler(name:known:)``.
    public static func named(_ name: String) throws -> SamplerDescription {
        let wanted = name.lowercased()
        let found = all.first { sampler in
            ([sampler.name, sampler.schedulerClass] + sampler.aliases).contains { $0.lowercased() == wanted }
        }
        guard let found else { throw SamplingError.unknownSampler(name: name, known: all.map(\.name)) }
        return found
    }

    /// The sampler that a model is sampled with unless the user names one.
    public static func `default`(for configuration: SchedulerConfiguration) -> DefaultSampler {
        let found = all.first { $0.schedulerClass == configuration.className }
        return DefaultSampler(
            sampler: found ?? all[0], missing: found == nil ? configuration.className : nil)
    }
}

/// A model's own sampler, or PNDM in its place.
public struct DefaultSampler: Sendable {
    public let sampler: SamplerDescription
    /// The scheduler class that the model names and this catalogue does not have, for the user to be told of; nil
    /// where the sampler is the model's own, or the model names none.
    public let missing: String?
}
