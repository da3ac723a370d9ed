import Foundation
import Testing

@testable import Sampling

/// Against k-diffusion's samplers and schedules, the stochastic ones on the same noise.
@Suite struct SigmaSamplerGoldenTests {
    /// Stable Diffusion's noise schedule, as k-diffusion has it: nothing rounded, the whole range of levels.
    private let configuration = latentConfiguration

    @Test func sigmasEqualTheirDefinitions() throws {
        let trained = TrainedSigmas(
            NoiseSchedule(configuration, setAlphaToOne: false, rescalesBetas: false))
        let cases = try golden("samplers/sigmas.json").items
        #expect(cases.count == 84)
        for one in cases {
            let name = try #require(one["schedule"].stringValue)
            let convention = try #require(ScheduleConvention(rawValue: one["convention"].stringValue ?? ""))
            let steps = one["steps"].integer
            let levels = try NoiseLevels(
                configuration, grid: .ends, steps: steps,
                options: NoiseLevelOptions(schedule: name, convention: convention), sampler: "euler")
            let expected = one["sigmas"].items.map { Double($0.float) }
            let label: Comment = "\(name) as \(convention), \(steps) steps: \(levels.sigmas), not \(expected)"
            #expect(levels.sigmas.count == expected.count, label)
            for (actual, expected) in zip(levels.sigmas, expected) {
                #expect(abs(actual - expected) <= 3e-6 * expected, label)
            }
            for (sigma, timestep) in zip(levels.sigmas, levels.timesteps) {
                #expect(abs(trained.timestep(at: sigma) - timestep) < 1e-3, label)
            }
        }
    }

    @Test func everyScheduleHasADefinition() throws {
        let tested = Set(try golden("samplers/sigmas.json").items.compactMap { $0["schedule"].stringValue })
        #expect(tested == Set(ScheduleCatalogue.all.map(\.name)))
    }

    @Test func latentsEqualKDiffusion() async throws {
        let cases = try golden("samplers/sigma_samplers.json").items
        #expect(cases.count == 233)
        for one in cases {
            let name = try #require(one["sampler"].stringValue)
            let steps = one["steps"].integer
            // The levels themselves, since AUTOMATIC1111 leaves some out for some samplers.
            let levels = try NoiseLevels(
                configuration, grid: .ends, steps: steps,
                options: NoiseLevelOptions(
                    schedule: one["schedule"].stringValue, convention: .automatic1111), sampler: name)
            let sampler = try SamplerCatalogue.named(name).sampler(
                configuration, steps: steps,
                options: SamplerOptions(
                    eta: one["eta"].numberValue?.double,
                    levels: NoiseLevelOptions(sigmas: levels.sigmas)))
            var noise = PictureNoise(seed: UInt64(one["seed"].integer), count: 1)
            let drawn = try noise.latents(channels: 2, height: 4, width: 2)
            let largest = 14.614647
            let first = Float((largest * largest + 1).squareRoot()) * drawn
            let result = try await denoise(first, with: sampler, noise: noise) { latents, timestep, _ in
                latents.map { tanh(0.7 * $0 + cos(timestep / 1000)) }
            }
            let expected = one["latents"].items.map(\.float)
            let magnitude = expected.map(abs).max() ?? 0
            let distance = zip(result.values, expected).map { abs($0 - $1) }.max() ?? .infinity
            // Some levels are differences of squares, for which k-diffusion has float32's bits only.
            let relative: Float = name.contains("ancestral") || name.contains("sde") ? 1e-4 : 3e-5
            #expect(
                distance <= relative * max(magnitude, 1),
                "\(name), \(steps) steps, \(one["schedule"].stringValue ?? ""), eta \(one["eta"])")
        }
    }
}
