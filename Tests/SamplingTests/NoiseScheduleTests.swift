import Checkpoints
import Testing

@testable import Sampling

@Suite struct NoiseScheduleTests {
    /// ᾱ of diffusers' schedulers. Rescaling takes square roots that PyTorch rounds otherwise, so there the last
    /// bits may differ.
    @Test func alphasEqualDiffusers() throws {
        let cases = try golden("samplers/schedules.json").items
        #expect(cases.count == 7)
        for one in cases {
            let configuration = try one["configuration"].configuration
            let sampler = one["sampler"].stringValue
            let schedule = NoiseSchedule(
                configuration, setAlphaToOne: false, rescalesBetas: sampler != "pndm",
                least: sampler == "euler" ? 0x1p-24 : nil)
            for (place, bits) in zip(one["places"].items, one["bits"].items) {
                let expected = Float(bitPattern: UInt32(bits.integer))
                let actual = schedule.alphasCumprod[place.integer]
                if configuration.rescaleBetasZeroSNR {
                    #expect(abs(actual - expected) <= 2e-4 * expected, "timestep \(place.integer)")
                } else {
                    #expect(actual == expected, "timestep \(place.integer) of \(configuration)")
                }
            }
        }
    }

    @Test func everySpacingGivesAsManyTimestepsAsSteps() throws {
        for spacing in TimestepSpacing.allCases {
            let timesteps = Timesteps(latentConfiguration, spacing: spacing)
            for steps in 1...1000 {
                let all = try timesteps.whole(steps: steps)
                #expect(all.count == steps)
                #expect(all.allSatisfy { (0..<1000).contains($0) }, "\(spacing), \(steps) steps")
                #expect(zip(all, all.dropFirst()).allSatisfy { $0 > $1 }, "\(spacing), \(steps) steps")
            }
        }
    }

    /// What `numpy.linspace(0, 999, steps + 1).round()` and `numpy.arange(1000, 0, -1000 / steps).round() - 1` give where
    /// exact numbers would lie halfway between two timesteps.
    @Test func halvesAreRoundedAsNumpysFallOut() throws {
        let linspace = Timesteps(latentConfiguration, spacing: .linspace)
        let halves: [(steps: Int, index: Int, timestep: Double)] = [
            (26, 13, 499), (30, 15, 499), (102, 17, 833), (198, 121, 389), (222, 215, 32),
        ]
        for one in halves {
            #expect(try linspace.intervals(steps: one.steps)[one.index] == one.timestep, "\(one.steps) steps")
        }
        let trailing = Timesteps(latentConfiguration, spacing: .trailing)
        for (steps, index, timestep) in [
            (48, 3, 936), (48, 15, 686), (96, 18, 812), (112, 7, 936), (240, 9, 962), (480, 6, 986),
        ] {
            #expect(try trailing.whole(steps: steps)[index] == timestep, "\(steps) steps")
        }
    }

    @Test func aValueOutOfRangeNamesItsKey() {
        let bad = [
            "num_train_timesteps": "0", "beta_start": "0", "beta_end": "1", "beta_schedule": "\"cubic\"",
            "prediction_type": "\"flow\"", "timestep_spacing": "1", "steps_offset": "1000",
            "trained_betas": "[0.1]", "clip_sample": "\"no\"", "sigma_min": "-1", "_class_name": "[]",
        ]
        for (key, value) in bad {
            #expect("\(key): \(value)") {
                try configuration("{\"\(key)\": \(value)}")
            } throws: { ($0 as? ConfigurationError)?.key.hasPrefix(key) == true }
        }
    }

    @Test func defaultsThatDiffusersFilledInDoNotCarryOver() throws {
        let text =
            #"{"timestep_spacing": "leading", "clip_sample": false, "_use_default_values": ["timestep_spacing"]}"#
        let read = try configuration(text)
        #expect(read.timestepSpacing == nil)
        #expect(!read.clipSample)
        let outdated = try configuration("{}")
        #expect(outdated.clipSample && outdated.stepsOffset == 0)
        #expect(!outdated.correctedForStableDiffusion().clipSample)
        #expect(outdated.correctedForStableDiffusion().stepsOffset == 1)
    }

    @Test func theModelsClassChoosesTheSampler() throws {
        for sampler in SamplerCatalogue.all {
            guard let schedulerClass = sampler.schedulerClass else { continue }
            let chosen = SamplerCatalogue.default(
                for: try configuration("{\"_class_name\": \"\(schedulerClass)\"}"))
            #expect(chosen.sampler.name == sampler.name)
            #expect(chosen.missing == nil)
        }
        let stochastic = SamplerCatalogue.default(
            for: try configuration(
                #"{"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++"}"#))
        #expect(stochastic.sampler.name == "dpmpp-2m-sde")
        let unknown = SamplerCatalogue.default(for: try configuration(#"{"_class_name": "NewScheduler"}"#))
        #expect(unknown.sampler.name == "pndm")
        #expect(unknown.missing == "NewScheduler")
        #expect(SamplerCatalogue.default(for: SchedulerConfiguration()).missing == nil)
    }

    @Test func namesAndAliasesFindOneSamplerEach() throws {
        var seen: Set<String> = []
        for sampler in SamplerCatalogue.all {
            #expect(try SamplerCatalogue.named(sampler.label).name == sampler.name)
            for name in [sampler.name, sampler.schedulerClass].compactMap({ $0 }) + sampler.aliases {
                #expect(seen.insert(name.lowercased()).inserted, "\(name) is there twice")
                #expect(try SamplerCatalogue.named(name.uppercased()).name == sampler.name)
            }
        }
        for (typed, meant) in [("eular", "euler"), ("dpm++ 2m", "dpmpp-2m"), ("uni-pc", "unipc")] {
            #expect {
                let found = try SamplerCatalogue.named(typed)
                #expect(found.name == meant)
                throw SamplingError.noSchedule(sampler: meant)
            } throws: { error in
                guard
                    case .unknownSampler(typed, let nearest, SamplerCatalogue.all.map(\.name)) =
                        error as? SamplingError
                else { return error as? SamplingError == .noSchedule(sampler: meant) }
                return nearest.first == meant && "\(error)".contains("did you mean \(meant)")
            }
        }
    }
}
