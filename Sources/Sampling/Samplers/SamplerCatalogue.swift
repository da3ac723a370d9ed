/// The samplers there are.
public enum SamplerCatalogue {
    public static let all: [SamplerDescription] = overTimesteps + overNoiseLevels + stochastic

    private static let overTimesteps: [SamplerDescription] = [
        SamplerDescription(
            "pndm", label: "PNDM", schedulerClass: "PNDMScheduler",
            summary: "linear multistep of order 4; Stable Diffusion's own"
        ) { try PNDM($0, steps: $1, firstStep: $2.firstStep) },
        SamplerDescription(
            "plms", label: "PLMS",
            summary: "PNDM that starts without Runge–Kutta steps"
        ) { try PNDM($0, steps: $1, firstStep: $2.firstStep, skipsRungeKutta: true) },
        SamplerDescription(
            "ddim", label: "DDIM", schedulerClass: "DDIMScheduler",
            summary: "implicit steps; with eta above 0, adds noise"
        ) { try DDIM($0, steps: $1, eta: $2.eta ?? 0, firstStep: $2.firstStep) },
        SamplerDescription(
            "ddpm", label: "DDPM", schedulerClass: "DDPMScheduler", isStochastic: true,
            summary: "ancestral steps; wants hundreds of them"
        ) { try DDPM($0, steps: $1, firstStep: $2.firstStep) },
        SamplerDescription(
            "lcm", label: "LCM", schedulerClass: "LCMScheduler", isStochastic: true,
            takesTimesteps: true,
            summary: "for latent consistency models, 1 to 8 steps"
        ) { try LCM($0, steps: $1, timesteps: $2.levels.timesteps, firstStep: $2.firstStep) },
        SamplerDescription(
            "tcd", label: "TCD", schedulerClass: "TCDScheduler", isStochastic: true,
            takesTimesteps: true,
            summary: "for trajectory consistency models, 4 and more steps"
        ) {
            try TCD(
                $0, steps: $1, timesteps: $2.levels.timesteps, eta: $2.eta ?? 0.3, firstStep: $2.firstStep)
        },
    ]

    private static let overNoiseLevels: [SamplerDescription] = [
        SamplerDescription(
            "euler", label: "Euler", aliases: ["k_euler"], schedulerClass: "EulerDiscreteScheduler",
            grid: .ends,
            summary: "Euler's method; plain and dependable"
        ) { Euler(churn: $1.churn) },
        SamplerDescription(
            "heun", label: "Heun", aliases: ["k_heun"], schedulerClass: "HeunDiscreteScheduler",
            callsPerStep: 2, grid: .ends, settings: .schedule,
            summary: "Heun's method; two model calls a step"
        ) { Heun(churn: $1.churn) },
        SamplerDescription(
            "dpm2", label: "DPM2", aliases: ["dpm_2", "k_dpm_2"], schedulerClass: "KDPM2DiscreteScheduler",
            callsPerStep: 2, grid: .ends, settings: .schedule, automaticSchedule: "karras",
            leavesOutALevel: [.automatic1111, .comfyUI],
            summary: "midpoints in log σ; two model calls a step"
        ) { DPM2(churn: $1.churn) },
        SamplerDescription(
            "lms", label: "LMS", aliases: ["k_lms"], schedulerClass: "LMSDiscreteScheduler", grid: .ends,
            settings: .schedule,
            summary: "linear multistep of order 4 in σ"
        ) { _, _ in LMS() },
        SamplerDescription(
            "dpmpp-2m", label: "DPM++ 2M", aliases: ["dpmpp_2m", "dpm++2m", "k_dpmpp_2m"],
            schedulerClass: "DPMSolverMultistepScheduler", grid: .intervals, automaticSchedule: "karras",
            summary: "DPM-Solver++, multistep of order 2; good with 20 steps"
        ) { configuration, _ in
            try configuration.refuse(
                "algorithm_type", configuration.algorithmType, sampler: "dpmpp-2m",
                unlessOneOf: ["dpmsolver++", "sde-dpmsolver++", "deis"])
            try configuration.refuse(
                "variance_type", configuration.varianceType ?? "null", sampler: "dpmpp-2m",
                unlessOneOf: ["null", "fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"])
            try configuration.refuseSolver(
                sampler: "dpmpp-2m", unlessOneOf: ["midpoint", "logrho", "bh1", "bh2"])
            return DPMPP2M(
                lowerOrderFinal: configuration.lowerOrderFinal, eulerAtFinal: configuration.eulerAtFinal)
        },
        SamplerDescription(
            "deis", label: "DEIS", schedulerClass: "DEISMultistepScheduler", grid: .untilSmallest,
            settings: .schedule,
            summary: "exponential integrator, multistep of order 2 in log σ"
        ) { configuration, _ in
            try configuration.refuseSolver(
                sampler: "deis", unlessOneOf: ["logrho", "midpoint", "heun", "bh1", "bh2"])
            return DEIS(lowerOrderFinal: configuration.lowerOrderFinal)
        },
        SamplerDescription(
            "unipc", label: "UniPC", aliases: ["uni_pc"], schedulerClass: "UniPCMultistepScheduler",
            grid: .intervals, leavesOutALevel: [.comfyUI],
            summary: "predictor and corrector, multistep of order 2; good with 10 steps"
        ) { levels, scale, configuration, options in
            try UniPC.sampler(
                form: .first, levels: levels, scale: scale, configuration: configuration, options: options)
        },
        SamplerDescription(
            "unipc-bh2", label: "UniPC BH2", aliases: ["uni_pc_bh2"],
            grid: .intervals, leavesOutALevel: [.comfyUI],
            summary: "UniPC with B(h) = e^h − 1, as diffusers has it unless the model says otherwise"
        ) { levels, scale, configuration, options in
            try UniPC.sampler(
                form: .second, levels: levels, scale: scale, configuration: configuration, options: options)
        },
        SamplerDescription(
            "dpm-adaptive", label: "DPM adaptive", aliases: ["dpm_adaptive", "k_dpm_ad"], callsPerStep: 3,
            grid: .ends,
            summary: "chooses its steps by their error; the number of steps does not count"
        ) { levels, scale, configuration, options in
            DPMAdaptive(
                levels: levels, prediction: configuration.predictionType, scale: scale,
                firstStep: options.firstStep)
        },
    ]

    private static let stochastic: [SamplerDescription] = [
        SamplerDescription(
            "euler-ancestral", label: "Euler a", aliases: ["euler_ancestral", "euler_a", "k_euler_a"],
            schedulerClass: "EulerAncestralDiscreteScheduler", isStochastic: true, grid: .ends,
            settings: .zeroTerminalSNR,
            summary: "Euler's method with fresh noise at each step"
        ) { EulerAncestral(eta: $1.eta ?? 1) },
        SamplerDescription(
            "dpm2-ancestral", label: "DPM2 a", aliases: ["dpm_2_ancestral", "k_dpm_2_a"],
            schedulerClass: "KDPM2AncestralDiscreteScheduler", callsPerStep: 2, isStochastic: true,
            grid: .ends, settings: .schedule, automaticSchedule: "karras",
            leavesOutALevel: [.automatic1111, .comfyUI],
            summary: "DPM2 with fresh noise at each step"
        ) { DPM2Ancestral(eta: $1.eta ?? 1) },
        SamplerDescription(
            "dpmpp-2s-ancestral", label: "DPM++ 2S a",
            aliases: ["dpmpp_2s_ancestral", "dpm++2s_a", "k_dpmpp_2s_a"], callsPerStep: 2,
            isStochastic: true, grid: .ends, automaticSchedule: "karras",
            summary: "DPM-Solver++ of order 2 with fresh noise; two model calls a step"
        ) { DPMPP2SAncestral(eta: $1.eta ?? 1) },
        SamplerDescription(
            "dpmpp-sde", label: "DPM++ SDE", aliases: ["dpmpp_sde", "k_dpmpp_sde"],
            schedulerClass: "DPMSolverSDEScheduler", callsPerStep: 2, isStochastic: true, grid: .ends,
            settings: .schedule, automaticSchedule: "karras",
            summary: "DPM-Solver++ on the stochastic equation; two model calls a step"
        ) { DPMPPSDE(eta: $1.eta ?? 1) },
        SamplerDescription(
            "dpmpp-2m-sde", label: "DPM++ 2M SDE",
            aliases: ["dpmpp_2m_sde", "dpm++2m_sde", "k_dpmpp_2m_sde"],
            isStochastic: true, grid: .intervals, automaticSchedule: "exponential",
            summary: "DPM-Solver++ of order 2 on the stochastic equation"
        ) { DPMPP2MSDE(form: $0.solverType == "heun" ? .heun : .midpoint, eta: $1.eta ?? 1) },
        SamplerDescription(
            "dpmpp-2m-sde-heun", label: "DPM++ 2M SDE Heun",
            aliases: ["dpmpp_2m_sde_heun", "k_dpmpp_2m_sde_heun"],
            isStochastic: true, grid: .intervals, automaticSchedule: "exponential",
            summary: "the same in Heun's form"
        ) { DPMPP2MSDE(form: .heun, eta: $1.eta ?? 1) },
        SamplerDescription(
            "dpmpp-3m-sde", label: "DPM++ 3M SDE", aliases: ["dpmpp_3m_sde", "k_dpmpp_3m_sde"],
            isStochastic: true, grid: .intervals, automaticSchedule: "exponential",
            leavesOutALevel: [.automatic1111],
            summary: "DPM-Solver++ of order 3 on the stochastic equation; wants 20 steps and more"
        ) { DPMPP3MSDE(eta: $1.eta ?? 1) },
        SamplerDescription(
            "restart", label: "Restart", callsPerStep: 2, isStochastic: true, grid: .ends,
            automaticSchedule: "karras",
            summary: "Heun's method that goes some of the way again; two model calls a step"
        ) { levels, scale, configuration, options in
            Restart(
                levels: levels, prediction: configuration.predictionType, scale: scale,
                firstStep: options.firstStep)
        },
    ]

    /// The sampler of a name, an alias or a diffusers class; letter case does not count.
    ///
    /// - Throws: ``SamplingError/unknownSampler(name:nearest:known:)``.
    public static func named(_ name: String) throws -> SamplerDescription {
        let wanted = name.lowercased()
        let found = all.first { sampler in
            ([sampler.name, sampler.label, sampler.schedulerClass ?? sampler.name] + sampler.aliases)
                .contains { $0.lowercased() == wanted }
        }
        guard let found else {
            let known = all.map(\.name)
            throw SamplingError.unknownSampler(
                name: name, nearest: nearestNames(to: name, among: known), known: known)
        }
        return found
    }

    /// The sampler of a name, and its schedule: AUTOMATIC1111 once wrote both as one, as in "DPM++ 2M Karras".
    ///
    /// - Parameter schedule: A schedule that is named beside it; it counts before one in the sampler's name.
    /// - Throws: As ``named(_:)``, and ``SamplingError/unknownSchedule(name:nearest:known:)``.
    public static func named(
        _ name: String, schedule: String?
    ) throws -> (sampler: SamplerDescription, schedule: ScheduleDescription?) {
        let given = try schedule.map { try ScheduleCatalogue.named($0) }
        do {
            return (try named(name), given)
        } catch {
            guard let space = name.lastIndex(of: " "), let sampler = try? named(String(name[..<space])),
                let own = try? ScheduleCatalogue.named(String(name[name.index(after: space)...]))
            else { throw error }
            return (sampler, given ?? own)
        }
    }

    /// The sampler that a model is sampled with unless the user names one.
    public static func `default`(for configuration: SchedulerConfiguration) -> DefaultSampler {
        let isStochastic = configuration.algorithmType == "sde-dpmsolver++"
        let found = all.first { sampler in
            configuration.className == "DPMSolverMultistepScheduler" && isStochastic
                ? sampler.name == "dpmpp-2m-sde"
                : sampler.schedulerClass != nil && sampler.schedulerClass == configuration.className
        }
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

extension SchedulerConfiguration {
    /// Refuses another order or form than the one that is here.
    fileprivate func refuseSolver(sampler: String, unlessOneOf types: [String]) throws {
        try refuse("solver_order", "\(solverOrder)", sampler: sampler, unlessOneOf: ["2"])
        guard let solverType else { return }
        try refuse("solver_type", solverType, sampler: sampler, unlessOneOf: types)
    }
}
