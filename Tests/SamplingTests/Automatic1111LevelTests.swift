import Testing

@testable import Sampling

/// AUTOMATIC1111's noise levels, from its published definitions.
@Suite struct Automatic1111LevelTests {
    private func levels(_ name: String, steps: Int) throws -> (sigmas: [Double], scale: Float) {
        let sampler = try SamplerCatalogue.named(name).sampler(
            latentConfiguration, steps: steps,
            options: SamplerOptions(levels: NoiseLevelOptions(convention: .automatic1111)))
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
}
