import Checkpoints
import Foundation
import Synchronization
import Testing

@testable import Sampling

/// Against diffusers' schedulers over the same analytic network, tanh(0.7·x + cos(t/1000)).
@Suite struct SamplerGoldenTests {
    @Test func latentsEqualDiffusers() async throws {
        let cases = try golden("samplers/samplers.json").items
        #expect(cases.count == 502)
        for one in cases {
            let name = try #require(one["sampler"].stringValue)
            for same in names(name, one["configuration"]) { try await expectGoldenLatents(same, one) }
        }
    }

    /// The samplers that a configuration makes the same: the one that is named, and one whose own setting it has.
    private func names(_ name: String, _ configuration: JSONValue) -> [String] {
        switch name {
        case "pndm" where configuration["skip_prk_steps"].boolValue == true: [name, "plms"]
        case "unipc" where configuration["solver_type"].stringValue != "bh1": [name, "unipc-bh2"]
        default: [name]
        }
    }

    @Test func everySamplerHasGoldenLatents() throws {
        var tested: Set<String> = []
        for file in ["samplers", "sigma_samplers"] {
            for one in try golden("samplers/\(file).json").items {
                let name = try #require(one["sampler"].stringValue)
                tested.formUnion(names(name, one["configuration"]))
            }
        }
        #expect(tested == Set(SamplerCatalogue.all.map(\.name)))
    }

    private func expectGoldenLatents(_ name: String, _ one: JSONValue) async throws {
        let steps = one["steps"].integer
        let sampler = try SamplerCatalogue.named(name).sampler(
            one["configuration"].configuration, steps: steps,
            options: SamplerOptions(
                eta: one["eta"].numberValue?.double, firstStep: one["first"].integer))
        let startsAtNoise = one["first"].integer == 0
        // diffusers' latents of variance 1 are ours divided by √(σ²+1).
        let isOne = one["scale"].float == 1
        if startsAtNoise, !isOne {
            #expect(abs(sampler.initialNoiseScale / one["scale"].float - 1) < 3e-7)
        }

        let asked = Mutex<[Float]>([])
        var noise = PictureNoise(seed: UInt64(one["seed"].integer), count: 1)
        let drawn = try noise.latents(channels: 2, height: 4, width: 2)
        let first =
            startsAtNoise
            ? sampler.initialNoiseScale * drawn : sampler.noised(drawn.map { _ in 0.5 }, with: drawn)
        let result = try await denoise(first, with: sampler, noise: noise) { latents, timestep, _ in
            asked.withLock { $0.append(timestep) }
            return latents.map { tanh(0.7 * $0 + cos(timestep / 1000)) }
        }

        let all = asked.withLock { $0 }
        let timesteps = steps <= 50 ? all : Array(all.prefix(3) + all.suffix(3))
        let expectedTimesteps = one["timesteps"].items.map(\.float)
        let label: Comment = "\(name), \(steps) steps, \(one["configuration"])"
        #expect(timesteps.count == expectedTimesteps.count, label)
        // Only those that come from a logarithm may differ in their last bits.
        let exact =
            ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"]
            .allSatisfy { one["configuration"][$0].boolValue != true } && !name.hasPrefix("dpm2")
        // Where a level is the difference of two squares, diffusers loses bits to float32 that are here.
        let isCancelling = name == "dpm2-ancestral"
        let slack: Float = isCancelling ? 0.02 : 1e-3
        for (actual, expected) in zip(timesteps, expectedTimesteps) {
            #expect(exact ? actual == expected : abs(actual - expected) < slack, label)
        }

        let expected = one["latents"].items.map(\.float)
        let magnitude = expected.map(abs).max() ?? 0
        let distance = zip(result.values, expected).map { abs($0 - $1) }.max() ?? .infinity
        // Latents of sigma 4096, as a signal-to-noise ratio of 0 gives, cancel to within a unit in the last place.
        let rounding = 3e-8 * sampler.initialNoiseScale
        let relative: Float = isCancelling ? 1e-4 : 1e-5
        #expect(distance <= relative * max(magnitude, 1) + rounding, label)
    }
}
