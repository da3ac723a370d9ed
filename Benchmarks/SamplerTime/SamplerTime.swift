import Checkpoints
import Foundation
import Sampling

/// Prints how long a step of each sampler takes beside the network: milliseconds a call of the model, for latents of a
/// picture of 512×512 pixels with guidance, median of nine runs of 20 steps.
///
///     swift run --configuration release SamplerTime
@main
struct SamplerTime {
    static func main() async throws {
        let settings = #"{"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}"#
        guard case .object(let object) = try JSONValue(parsing: Data(settings.utf8), named: "scheduler")
        else {
            return
        }
        let configuration = try SchedulerConfiguration(Configuration(object, path: "scheduler"))
        let guidance = try ClassifierFreeGuidance(scales: [7.5])
        for description in SamplerCatalogue.all where !description.isAdaptive {
            var times: [Double] = []
            let noises: [StepNoise] = description.name.contains("sde") ? StepNoise.allCases : [.sequential]
            for stepNoise in noises {
                times = []
                for _ in 0..<9 {
                    times.append(try await seconds(description, configuration, guidance, stepNoise))
                }
                let name = description.name + (stepNoise == .brownianTree ? ", Brownian" : "")
                print("\(name.padding(toLength: 32, withPad: " ", startingAt: 0))", terminator: "")
                print(String(format: "%7.2f ms", times.sorted()[4] * 1000))
            }
        }
    }

    /// Seconds a call of a model that takes none.
    private static func seconds(
        _ description: SamplerDescription, _ configuration: SchedulerConfiguration,
        _ guidance: ClassifierFreeGuidance, _ stepNoise: StepNoise
    ) async throws -> Double {
        var noise = PictureNoise(seed: 1, count: 1, stepNoise: stepNoise)
        let drawn = try noise.initialLatents(channels: 4, height: 64, width: 64)
        let sampler = try description.sampler(configuration, steps: 20)
        let calls = Counter()
        let start = ContinuousClock.now
        _ = try await denoise(sampler.initialNoiseScale * drawn, with: sampler, noise: noise) {
            latents, _, _ in
            await calls.add()
            return try guidance.combine(
                unconditional: latents, conditionals: [(latents, 1)], scale: 7.5)
        }
        return (ContinuousClock.now - start) / .seconds(1) / Double(await calls.count)
    }
}

private actor Counter {
    private(set) var count = 0
    func add() { count += 1 }
}
