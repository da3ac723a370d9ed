import Foundation
import Synchronization
import Testing

@testable import Sampling

/// What holds of every sampler, on data whose ideal network is known.
@Suite struct SamplerConvergenceTests {
    static let names = SamplerCatalogue.all.map(\.name)

    /// Where all data are one picture, the ideal network knows the noise, and every step count ends at the picture.
    @Test(arguments: names, [1, 2, 3, 5, 20, 100])
    func endsAtTheOnlyPicture(name: String, steps: Int) async throws {
        guard steps <= 50 || !["lcm", "tcd"].contains(name) else { return }
        var configuration = latentConfiguration
        configuration.setAlphaToOne = true
        configuration.timestepSpacing = .leading
        let sampler = try SamplerCatalogue.named(name).sampler(configuration, steps: steps)
        let network = IdealNetwork(configuration)
        let picture: Float = 0.75
        let first = try Latents([-1.5, 0.25, 2], batch: 1, channels: 1, height: 1, width: 3)
        let result = try await denoise(
            sampler.initialNoiseScale * first, with: sampler, noise: PictureNoise(seed: 0, count: 1)
        ) { latents, timestep, _ in
            let alpha = network.alpha(timestep)
            return latents.map {
                Float((Double($0) - alpha.squareRoot() * Double(picture)) / (1 - alpha).squareRoot())
            }
        }
        // These end at the smallest noise level that was trained, 0.03.
        let tolerance: Float = ["deis", "tcd", "dpm-adaptive"].contains(name) ? 0.1 : 2e-4
        for value in result.values { #expect(abs(value - picture) < tolerance, "\(result.values)") }
    }

    /// On Gaussian data the flow scales latents by the ratio of their standard deviations; more steps come nearer, as
    /// fast as the method's order says.
    @Test(arguments: [
        ("pndm", 2.0), ("ddim", 1), ("euler", 1), ("heun", 2), ("dpm2", 2), ("lms", 3), ("dpmpp-2m", 2),
        ("deis", 2),
        ("unipc", 2),
    ])
    func convergesOnGaussianData(name: String, order: Double) async throws {
        let steps = 250
        let coarse = try await gaussianError(name, steps: steps)
        let fine = try await gaussianError(name, steps: 2 * steps)
        let observed = log2(coarse / fine)
        #expect(observed > order - 0.35 || fine < 3e-6, "errors \(coarse) and \(fine): order \(observed)")
        #expect(fine < 0.005)
    }

    private func gaussianError(_ name: String, steps: Int) async throws -> Double {
        var configuration = latentConfiguration
        configuration.setAlphaToOne = false
        configuration.finalSigmasType = "sigma_min"
        configuration.lowerOrderFinal = false
        let isOverTimesteps = ["pndm", "ddim"].contains(name)
        configuration.timestepSpacing = isOverTimesteps ? .leading : .linspace
        let sampler = try SamplerCatalogue.named(name).sampler(configuration, steps: steps)
        let network = IdealNetwork(configuration)
        let deviation = 0.6
        let variance = { @Sendable (alpha: Double) in alpha * deviation * deviation + 1 - alpha }
        let asked = Mutex<Float?>(nil)
        let left = Mutex<[Latents]>([])
        _ = try await denoise(
            try Latents([1], batch: 1, channels: 1, height: 1, width: 1), with: sampler,
            noise: PictureNoise(seed: 0, count: 1),
            denoiser: { latents, timestep, _ in
                asked.withLock { $0 = $0 ?? timestep }
                let alpha = network.alpha(timestep)
                return latents.map { Float(Double($0) * (1 - alpha).squareRoot() / variance(alpha)) }
            },
            report: { step in left.withLock { $0.append(step.latents) } })
        // These go on from the smallest level to none, in one step however many there are.
        let goesOn = ["heun", "dpm2", "lms"].contains(name)
        let result = left.withLock { $0[$0.count - (goesOn ? 2 : 1)] }
        let first = try #require(asked.withLock { $0 })
        let (start, end) = (network.alpha(first), network.alpha(0))
        var exact = (variance(end) / variance(start)).squareRoot()
        // Latents that grow with sigma instead of keeping their variance.
        if !isOverTimesteps { exact *= (start / end).squareRoot() }
        return abs(Double(result.values[0]) / exact - 1)
    }
}

/// ᾱ at the timesteps that a sampler asks for, whole or between two.
private struct IdealNetwork: Sendable {
    private let trained: TrainedSigmas

    init(_ configuration: SchedulerConfiguration) {
        trained = TrainedSigmas(NoiseSchedule(configuration, setAlphaToOne: false, rescalesBetas: true))
    }

    func alpha(_ timestep: Float) -> Double {
        let sigma = trained.logarithmicSigma(at: Double(timestep))
        return 1 / (sigma * sigma + 1)
    }
}
