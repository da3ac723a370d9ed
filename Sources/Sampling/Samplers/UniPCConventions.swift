import Foundation

extension UniPC {
    /// The sampler as a program has it: AUTOMATIC1111 and ComfyUI take three pictures into account, and end a little
    /// above no noise.
    ///
    /// - Parameters:
    ///   - form: B(h) in the programs other than diffusers; there the model's settings say.
    ///   - levels: The program's own, or a user's.
    /// - Throws: ``SamplingError/unsupportedSetting(sampler:key:value:supported:)``.
    static func sampler(
        form: Form, levels: NoiseLevels, scale: LatentScale, configuration: SchedulerConfiguration,
        options: SamplerOptions
    ) throws -> any Sampler {
        var (rule, levels, scale) = (UniPC(form: form, order: 3), levels, scale)
        switch options.levels.convention {
        case .diffusers, .stableDiffusionCpp:
            try configuration.refuse(
                "predict_x0", "\(configuration.predictsOriginal)", sampler: "unipc", unlessOneOf: ["true"])
            try configuration.refuse(
                "disable_corrector", "\(configuration.disableCorrector)", sampler: "unipc",
                unlessOneOf: ["[]"])
            let ownForm: Form = configuration.solverType == "bh1" ? .first : .second
            rule = UniPC(
                form: form == .second ? .second : ownForm, order: configuration.solverOrder,
                lowerOrderFinal: configuration.lowerOrderFinal)
        case .automatic1111:
            let given = options.levels
            guard given.schedule == nil, given.sigmas == nil, given.timesteps == nil else { break }
            levels = .evenTimes(levels.trained, steps: levels.stepCount)
            scale = .variancePreserving
        case .comfyUI:
            rule.order = max(1, min(3, levels.stepCount - max(options.firstStep, 0) - 1))
            levels = levels.ending(at: 0.001)
        }
        return SigmaSampler(
            rule, levels: levels, prediction: configuration.predictionType, scale: scale,
            firstStep: options.firstStep)
    }
}

extension NoiseLevels {
    /// Evenly from the last trained timestep to the first, which is where the last step ends; between two, log α is
    /// linear: `time_uniform` of UniPC's own program.
    fileprivate static func evenTimes(_ trained: TrainedSigmas, steps: Int) -> NoiseLevels {
        let timesteps = evenlySpaced(from: Double(trained.count - 1), to: 0, count: steps + 1)
        let sigmas = timesteps.map { trained.sigmaLinearInLogAlpha(at: $0) }
        return NoiseLevels(sigmas: sigmas, timesteps: timesteps.dropLast(), trained: trained)
    }

    /// The same with a level above 0 in the place of a last one of 0.
    fileprivate func ending(at sigma: Double) -> NoiseLevels {
        guard sigmas.last == 0, sigmas[stepCount - 1] > sigma else { return self }
        return NoiseLevels(sigmas: sigmas.dropLast() + [sigma], timesteps: timesteps, trained: trained)
    }
}
