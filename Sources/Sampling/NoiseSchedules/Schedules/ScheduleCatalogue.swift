/// A schedule's entry in the catalogue.
public struct ScheduleDescription: Sendable {
    /// Its name here, in kebab-case.
    public let name: String
    /// Its name in AUTOMATIC1111, which pictures' metadata have.
    public let label: String
    /// Other programs' names for it; letter case does not count.
    public let aliases: [String]
    /// What it is, in a line.
    public let summary: String
    /// Its exponent ρ unless another is asked for; nil where it has none.
    public let rho: Double?
    private let make: @Sendable (ScheduleConvention, Double) -> any Schedule

    init(
        _ name: String, label: String, aliases: [String] = [], summary: String, rho: Double? = nil,
        schedule: @escaping @Sendable (ScheduleConvention, Double) -> any Schedule
    ) {
        self.name = name
        self.label = label
        self.aliases = aliases
        self.summary = summary
        self.rho = rho
        make = schedule
    }

    /// - Throws: ``SamplingError/noRho(schedule:)``, ``SamplingError/rhoOutOfRange(_:)``.
    func schedule(_ options: NoiseLevelOptions) throws -> any Schedule {
        if let given = options.rho {
            guard rho != nil else { throw SamplingError.noRho(schedule: name) }
            guard given > 0, given <= 100 else { throw SamplingError.rhoOutOfRange(given) }
        }
        return make(options.convention, options.rho ?? rho ?? 1)
    }
}

/// The schedules there are, beside the model's own.
public enum ScheduleCatalogue {
    public static let all: [ScheduleDescription] = [
        ScheduleDescription(
            "karras", label: "Karras", summary: "evenly in σ^(1/ρ), ρ = 7: small steps near the picture",
            rho: 7
        ) { _, rho in KarrasSchedule(rho: rho) },
        ScheduleDescription(
            "exponential", label: "Exponential", summary: "evenly in log σ"
        ) { _, _ in ExponentialSchedule() },
        ScheduleDescription(
            "polyexponential", label: "Polyexponential", summary: "the power ρ = 1 of the way through log σ",
            rho: 1
        ) { _, rho in PolyexponentialSchedule(rho: rho) },
        ScheduleDescription(
            "normal", label: "Normal", aliases: ["uniform", "discrete"],
            summary: "evenly in the training's timesteps"
        ) { _, _ in NormalSchedule() },
        ScheduleDescription(
            "sgm-uniform", label: "SGM Uniform", aliases: ["sgm_uniform", "SGMUniform"],
            summary: "evenly in the training's timesteps, the last interval ending at the first"
        ) { _, _ in SGMUniformSchedule() },
        ScheduleDescription(
            "simple", label: "Simple", summary: "whole timesteps, counted down from the last"
        ) { _, _ in SimpleSchedule() },
        ScheduleDescription(
            "ddim-uniform", label: "DDIM", aliases: ["ddim_uniform"],
            summary: "every n-th timestep from the first"
        ) { _, _ in DDIMUniformSchedule() },
        ScheduleDescription(
            "beta", label: "Beta", summary: "quantiles of a beta distribution: most levels near both ends"
        ) { convention, _ in BetaQuantileSchedule(convention: convention) },
        ScheduleDescription(
            "linear-quadratic", label: "Linear Quadratic", aliases: ["linear_quadratic"],
            summary: "half of the steps small and equal, then ever larger"
        ) { _, _ in LinearQuadraticSchedule() },
        ScheduleDescription(
            "kl-optimal", label: "KL Optimal", aliases: ["kl_optimal"], summary: "evenly in arctan σ"
        ) { convention, _ in KLOptimalSchedule(convention: convention) },
        ScheduleDescription(
            "align-your-steps", label: "Align Your Steps", aliases: ["align_your_steps", "ays"],
            summary: "optimised for Stable Diffusion 1.5; good with ten steps"
        ) { convention, _ in AlignYourStepsSchedule(convention: convention) },
    ]

    /// The schedule of a name or an alias; letter case does not count.
    ///
    /// - Throws: ``SamplingError/unknownSchedule(name:nearest:known:)``.
    public static func named(_ name: String) throws -> ScheduleDescription {
        let wanted = name.lowercased()
        let found = all.first { ([$0.name, $0.label] + $0.aliases).contains { $0.lowercased() == wanted } }
        guard let found else {
            let known = all.map(\.name)
            throw SamplingError.unknownSchedule(
                name: name, nearest: nearestNames(to: name, among: known), known: known)
        }
        return found
    }
}
