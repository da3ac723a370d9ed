import Foundation
import Testing

@testable import Sampling

/// AUTOMATIC1111's, ComfyUI's and stable-diffusion.cpp's noise levels, from their published definitions.
@Suite struct ConventionLevelTests {
    private func levels(
        _ name: String, steps: Int, _ options: NoiseLevelOptions = .init(convention: .automatic1111)
    ) throws -> (sigmas: [Double], scale: Float) {
        let sampler = try SamplerCatalogue.named(name).sampler(
            latentConfiguration, steps: steps,
            options: SamplerOptions(levels: options))
        let sigmas: [Double] =
            switch sampler {
            case let sampler as SigmaSampler<Euler>: sampler.levels.sigmas
            case let sampler as SigmaSampler<DPM2>: sampler.levels.sigmas
            case let sampler as SigmaSampler<DPMPP2M>: sampler.levels.sigmas
            case let sampler as SigmaSampler<DPMPP2MSDE>: sampler.levels.sigmas
            default: []
            }
        return (sigmas, sampler.initialNoiseScale)
    }

    private func golden(_ schedule: String, steps: Int) throws -> [Double] {
        let one = try SamplingTests.golden("samplers/sigmas.json").items.first {
            $0["schedule"].stringValue == schedule && $0["convention"].stringValue == "automatic1111"
                && $0["steps"].integer == steps
        }
        return try #require(one)["sigmas"].items.map { Double($0.float) }
    }

    @Test(arguments: [("euler", "normal"), ("dpmpp-2m", "karras"), ("dpmpp-2m-sde", "exponential")])
    func eachSamplerHasItsSchedule(_ name: String, _ schedule: String) throws {
        let (sigmas, scale) = try levels(name, steps: 20)
        for (sigma, wanted) in zip(sigmas, try golden(schedule, steps: 20)) {
            #expect(abs(sigma - wanted) <= 3e-6 * wanted)
        }
        #expect(sigmas.count == 21 && Double(scale) == sigmas[0], "noise begins at σ, not at √(σ²+1)")
    }

    @Test func someLeaveOutTheLastLevelButOne() throws {
        let sigmas = try levels("dpm2", steps: 10).sigmas
        var wanted = try golden("karras", steps: 11)
        wanted.remove(at: wanted.count - 2)
        #expect(sigmas.count == 11)
        for (sigma, wanted) in zip(sigmas, wanted) { #expect(abs(sigma - wanted) <= 3e-6 * wanted) }
    }

    /// ComfyUI and stable-diffusion.cpp have no schedules of samplers' own.
    @Test func otherProgramsBeginEvenly() throws {
        let normal = try golden("normal", steps: 10)
        let comfyUI = try levels("dpmpp-2m", steps: 10, .init(convention: .comfyUI))
        let cpp = try levels("dpmpp-2m", steps: 10, .init(convention: .stableDiffusionCpp))
        for (sigma, wanted) in zip(comfyUI.sigmas, normal) { #expect(abs(sigma - wanted) <= 3e-6 * wanted) }
        #expect(comfyUI.sigmas == cpp.sigmas && cpp.sigmas.count == 11)
        #expect(Double(cpp.scale) == cpp.sigmas[0], "latents are σ·ε")
        let variance = (comfyUI.sigmas[0] * comfyUI.sigmas[0] + 1).squareRoot()
        #expect(abs(Double(comfyUI.scale) - variance) < 1e-5, "latents are √(σ²+1)·ε")
        // Of DPM2's levels ComfyUI leaves out the last but one, and stable-diffusion.cpp none.
        var longer = try levels("dpm2", steps: 11, .init(convention: .stableDiffusionCpp)).sigmas
        longer.remove(at: longer.count - 2)
        #expect(try levels("dpm2", steps: 10, .init(convention: .comfyUI)).sigmas == longer)
    }

    private func sampler(
        _ name: String, steps: Int, firstStep: Int = 0, _ levels: NoiseLevelOptions
    ) throws -> any Sampler {
        try SamplerCatalogue.named(name).sampler(
            latentConfiguration, steps: steps, options: SamplerOptions(levels: levels, firstStep: firstStep))
    }

    /// `int(steps / denoise)` levels, of which the last are taken: 20 of 2000, where hardly any noise is added.
    @Test func comfyUIPlansMoreStepsThanItTakes() throws {
        let made = try sampler("euler", steps: 2000, firstStep: 1980, .init(convention: .comfyUI))
        let euler = try #require(made as? SigmaSampler<Euler>)
        #expect(euler.stepCount == 20 && euler.levels.stepCount == 2000)
        let trained = TrainedSigmas(
            NoiseSchedule(latentConfiguration, setAlphaToOne: false, rescalesBetas: false))
        let first = trained.logarithmicSigma(at: 999 - 999 * 1980 / 1999)
        #expect(abs(Double(euler.initialNoiseScale) - first) < 1e-6)
        // 1000 / 60 is 16, so that there are 63 levels, of which the last 30 are taken.
        for (steps, first, taken) in [(60, 30, 30), (2000, 1980, 20), (30, 0, 31)] {
            let options = NoiseLevelOptions(schedule: "ddim-uniform", convention: .comfyUI)
            #expect(try sampler("euler", steps: steps, firstStep: first, options).stepCount == taken)
        }
        #expect(throws: SamplingError.self) {
            try sampler("euler", steps: .max, firstStep: 1, .init(convention: .comfyUI))
        }
    }

    /// ComfyUI hands the levels that it takes to the sampler, and noise is drawn over those.
    @Test func comfyUIDrawsNoiseOverTheLevelsThatItTakes() throws {
        for (convention, start) in [(ScheduleConvention.comfyUI, 5), (.automatic1111, 0), (.diffusers, 0)] {
            let options = NoiseLevelOptions(schedule: "karras", convention: convention)
            let made = try sampler("dpmpp-2m-sde", steps: 10, firstStep: 5, options)
            let levels = try #require(made as? SigmaSampler<DPMPP2MSDE>).levels
            #expect(levels.range == levels.sigmas[9]...levels.sigmas[start], "\(convention)")
        }
        let none = try sampler("dpmpp-2m-sde", steps: 10, firstStep: 10, .init(convention: .comfyUI))
        #expect(none.isFinished)
        // UniPC's order is by the steps that are taken too.
        let uniPC = try sampler("uni_pc", steps: 10, firstStep: 8, .init(convention: .comfyUI))
        let rule = try #require(uniPC as? SigmaSampler<UniPC>).rule
        #expect(rule.order == 1)
    }

    /// A level that is left out is not one of the steps asked for.
    @Test func asManyStepsAsTrainedAreTaken() throws {
        let options = NoiseLevelOptions(convention: .automatic1111)
        #expect(try sampler("dpm2", steps: 1000, options).stepCount == 1000)
        for steps in [0, 1001] {
            #expect(throws: SamplingError.stepsOutOfRange(steps: steps, maximum: 1000)) {
                try sampler("dpm2", steps: steps, options)
            }
        }
    }

    /// UniPC's own program goes evenly through the timesteps, to the first; log α is linear between two.
    @Test func automatic1111sUniPCGoesThroughEvenTimes() throws {
        let options = SamplerOptions(levels: NoiseLevelOptions(convention: .automatic1111))
        let made = try SamplerCatalogue.named("UniPC")
            .sampler(latentConfiguration, steps: 6, options: options)
        let sampler = try #require(made as? SigmaSampler<UniPC>)
        #expect(sampler.levels.timesteps == [999, 832.5, 666, 499.5, 333, 166.5])
        let alphas = NoiseSchedule(latentConfiguration, setAlphaToOne: false, rescalesBetas: false)
            .alphasCumprod.map { Double($0) }
        for (index, sigma) in sampler.levels.sigmas.enumerated() {
            let place = 999 - 166.5 * Double(index)
            let alpha = (alphas[Int(place.rounded(.down))] * alphas[Int(place.rounded(.up))]).squareRoot()
            #expect(abs(sigma - ((1 - alpha) / alpha).squareRoot()) <= 3e-6 * sigma, "σ at \(place)")
        }
        #expect(sampler.rule.form == .first && sampler.rule.order == 3)
        #expect(abs(Double(sampler.initialNoiseScale) - hypot(sampler.levels.sigmas[0], 1)) < 1e-5)
        // Others that were given are taken.
        let given = try self.sampler(
            "UniPC", steps: 3, .init(timesteps: [900, 500, 100], convention: .automatic1111))
        #expect(try #require(given as? SigmaSampler<UniPC>).levels.timesteps == [900, 500, 100])
    }

    /// ComfyUI's ends at 0.001, over the scheduler's levels without the last but one.
    @Test func comfyUIsUniPCEndsAboveZero() throws {
        for (name, form) in [("uni_pc", UniPC.Form.first), ("uni_pc_bh2", .second)] {
            for (steps, order) in [(1, 1), (3, 2), (10, 3)] {
                let options = SamplerOptions(levels: NoiseLevelOptions(convention: .comfyUI))
                let made = try SamplerCatalogue.named(name)
                    .sampler(latentConfiguration, steps: steps, options: options)
                let sampler = try #require(made as? SigmaSampler<UniPC>)
                var wanted = try levels("dpm2", steps: steps, .init(convention: .comfyUI)).sigmas
                wanted[steps] = Double(Float(0.001))
                #expect(sampler.levels.sigmas == wanted)
                #expect(sampler.rule.form == form && sampler.rule.order == order)
            }
        }
    }

    /// `range(0, 1000, 1000 // steps)`, one later, at most the last.
    @Test(arguments: [(20, 20), (30, 31), (7, 8), (600, 1000)])
    func ddimVisitsEveryStride(_ steps: Int, _ count: Int) throws {
        let options = SamplerOptions(levels: NoiseLevelOptions(convention: .automatic1111))
        let sampler = try SamplerCatalogue.named("ddim")
            .sampler(latentConfiguration, steps: steps, options: options)
        let wanted = stride(from: 0, to: 1000, by: 1000 / steps).map { min($0 + 1, 999) }
        #expect((sampler as? DDIM)?.timesteps == wanted.reversed())
        #expect(wanted.count == count)
    }

    @Test func rhoIsKarrasOwn() throws {
        let sigmas = try levels("euler", steps: 5, .init(schedule: "karras", rho: 3)).sigmas
        let (high, low) = (sigmas[0], sigmas[4])
        for index in 0..<5 {
            let wanted = (high.cubeRoot + Double(index) / 4 * (low.cubeRoot - high.cubeRoot)).cubed
            #expect(abs(sigmas[index] - wanted) < 1e-5)
        }
        #expect(
            try levels("euler", steps: 5, .init(schedule: "karras", rho: 7)).sigmas
                == levels("euler", steps: 5, .init(schedule: "karras")).sigmas)
        let steep = try levels("euler", steps: 5, .init(schedule: "polyexponential", rho: 2)).sigmas
        #expect(steep[2] < (try levels("euler", steps: 5, .init(schedule: "exponential")).sigmas[2]))
        #expect(throws: SamplingError.noRho(schedule: "beta")) {
            try levels("euler", steps: 5, .init(schedule: "beta", rho: 3))
        }
        for rho in [0, -1, .nan, 1e9] {
            #expect(throws: SamplingError.self) {
                try levels("euler", steps: 5, .init(schedule: "karras", rho: rho))
            }
        }
    }
}

extension Double {
    fileprivate var cubeRoot: Double { Foundation.cbrt(self) }
    fileprivate var cubed: Double { self * self * self }
}
