import Testing

@testable import Sampling

private protocol HasLevels {
    var levels: NoiseLevels { get }
}

extension SigmaSampler: HasLevels {}

/// A model's settings count where diffusers' class of the sampler has them.
@Suite struct LevelSettingsTests {
    private func model(_ setting: String = #""steps_offset": 0"#) throws -> SchedulerConfiguration {
        try configuration(
            #"{"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", \#(setting)}"#)
    }

    private func sigmas(
        _ name: String, _ model: SchedulerConfiguration, schedule: String? = nil
    ) throws -> [Double] {
        let sampler = try SamplerCatalogue.named(name).sampler(
            model, steps: 5, options: SamplerOptions(levels: NoiseLevelOptions(schedule: schedule)))
        return try #require(sampler as? any HasLevels).levels.sigmas
    }

    @Test(arguments: [
        ("euler", true, true, true), ("dpmpp-2m", true, true, true), ("dpmpp-2m-sde", true, true, true),
        ("unipc", true, true, true), ("heun", true, false, false), ("lms", true, false, false),
        ("dpm2", true, false, false), ("dpm2-ancestral", true, false, false), ("deis", true, false, false),
        ("dpmpp-sde", true, false, false), ("euler-ancestral", false, false, true),
    ])
    func countWhereTheClassHasThem(
        _ name: String, _ schedule: Bool, _ finalSigma: Bool, _ zeroTerminalSNR: Bool
    ) throws {
        let plain = try sigmas(name, try model())
        for key in ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"] {
            let changed = try sigmas(name, try model("\"\(key)\": true")) != plain
            #expect(changed == schedule, "\(key)")
        }
        let smallest = try sigmas(name, try model(#""final_sigmas_type": "sigma_min""#))
        #expect((smallest != plain) == finalSigma)
        let rescaled = try sigmas(name, try model(#""rescale_betas_zero_snr": true"#))
        #expect((rescaled != plain) == zeroTerminalSNR)
        #expect((rescaled[0] > 4000) == zeroTerminalSNR)
    }

    @Test func whatAUserAsksForCounts() throws {
        var asked = try model()
        asked.rescaleBetasZeroSNR = true
        for name in ["heun", "euler-ancestral", "deis"] {
            let (plain, rescaled) = (try sigmas(name, try model()), try sigmas(name, asked))
            let karras = try sigmas(name, try model(), schedule: "karras")
            #expect(rescaled[0] > 4000 && karras != plain)
        }
    }

    @Test func whatASamplerLacksIsRefused() throws {
        for (name, setting, told) in [
            ("ddpm", #""variance_type": "fixed_large""#, "variance_type = fixed_large"),
            ("ddpm", #""variance_type": "learned_range""#, "variance_type = learned_range"),
            ("unipc", #""predict_x0": false"#, "predict_x0 = false"),
            ("unipc-bh2", #""disable_corrector": [0, 1]"#, "disable_corrector = [0, 1]"),
        ] {
            #expect("\(setting)") {
                try SamplerCatalogue.named(name).sampler(try model(setting), steps: 5)
            } throws: { "\($0)".contains(told) }
        }
        for setting in [
            #""variance_type": "fixed_small_log""#, #""predict_x0": true"#, #""disable_corrector": []"#,
        ] {
            for name in ["ddpm", "unipc"] {
                #expect(try SamplerCatalogue.named(name).sampler(try model(setting), steps: 5).stepCount == 5)
            }
        }
    }
}
