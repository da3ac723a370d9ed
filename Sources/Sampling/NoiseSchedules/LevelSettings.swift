/// Those settings of noise levels in a model's scheduler configuration that not each of diffusers' classes has.
///
/// `from_config` carries over what a class has; what it has not does not count for its sampler.
struct LevelSettings: OptionSet, Sendable {
    let rawValue: Int

    /// `use_karras_sigmas`, `use_exponential_sigmas` and `use_beta_sigmas`.
    static let schedule = LevelSettings(rawValue: 1)
    /// `final_sigmas_type`.
    static let finalSigma = LevelSettings(rawValue: 2)
    /// `rescale_betas_zero_snr`.
    static let zeroTerminalSNR = LevelSettings(rawValue: 4)

    static let all: LevelSettings = [.schedule, .finalSigma, .zeroTerminalSNR]

    /// A configuration without the model's settings that are not among these. A signal-to-noise ratio of 0 that was asked
    /// for, and is not in the model's file, is kept.
    func kept(of configuration: SchedulerConfiguration) -> SchedulerConfiguration {
        var kept = configuration
        if !contains(.schedule) {
            kept.useKarrasSigmas = false
            kept.useExponentialSigmas = false
            kept.useBetaSigmas = false
        }
        if !contains(.finalSigma) { kept.finalSigmasType = "zero" }
        if !contains(.zeroTerminalSNR), configuration.fileRescalesBetas { kept.rescaleBetasZeroSNR = false }
        return kept
    }
}
