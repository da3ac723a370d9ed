import Foundation
import Testing

@testable import Sampling

/// What holds of every sampler, on data whose ideal network is known.
@Suite struct SamplerConvergenceTests {
    static let names = SamplerCatalogue.all.map(\.name)

    /// Where all data are one picture, the ideal network knows the noise, and every step count ends at the picture.
    @Test(arguments: names, [1, 2, 3, 5, 20, 100])
    func endsAtTheOnlyPicture(name: String, steps: Int) async throws {
        var configuration = latentConfiguration
        configuration.setAlphaToOne = true
        let sampler = try SamplerCatalogue.named(name).sampler(configuration, steps: steps)
        let level = Level(sampler, configuration)
        let picture: Float = 0.75
        let first = try Latents([-1.5, 0.25, 2], batch: 1, channels: 1, height: 1, width: 3)
        let result = try await denoise(
            sampler.initialNoiseScale * first, with: sampler, noise: PictureNoise(seed: 0, count: 1)
        ) { latents, timestep in
            let alpha = level.alpha(timestep)
            return latents.map {
                Float((Double($0) - alpha.squareRoot() * Double(picture)) / (1 - alpha).squareRoot())
            }
        }
        for value in result.values { #expect(abs(value - picture) < 2e-4, "\(result.values)") }
    }

    /// On Gaussian data the flow scales latents by the ratio of their standard deviations; more steps come nearer, as
    /// fast as the method's order says.
    @Test(arguments: [("pndm", 2.0), ("ddim", 1), ("euler", 1)])
    func convergesOnGaussianData(name: String, order: Double) async throws {
        let coarse = try await gaussianError(name, steps: 250)
        let fine = try await gaussianError(name, steps: 500)
        let observed = log2(coarse / fine)
        #expect(observed > order - 0.25, "errors \(coarse) and \(fine): order \(observed)")
        #expect(fine < 0.005)
    }

    private func gaussianError(_ name: String, steps: Int) async throws -> Double {
        var configuration = latentConfiguration
        configuration.setAlphaToOne = false
        configuration.finalSigmasType = "sigma_min"
        let sampler = try SamplerCatalogue.named(name).sampler(configuration, steps: steps)
        let level = Level(sampler, configuration)
        let deviation = 0.6
        let variance = { @Sendable (alpha: Double) in alpha * deviation * deviation + 1 - alpha }
        let result = try await denoise(
            try Latents([1], batch: 1, channels: 1, height: 1, width: 1), with: sampler,
            noise: PictureNoise(seed: 0, count: 1)
        ) { latents, timestep in
            let alpha = level.alpha(timestep)
            return latents.map { Float(Double($0) * (1 - alpha).squareRoot() / variance(alpha)) }
        }
        let (start, end) = (level.alpha(level.first), level.alpha(0))
        var exact = (variance(end) / variance(start)).squareRoot()
        // Latents that grow with sigma instead of keeping their variance.
        if level.scales { exact *= (start / end).squareRoot() }
        return abs(Double(result.values[0]) / exact - 1)
    }
}

/// ᾱ at the timesteps that a sampler asks for.
private struct Level: Sendable {
    private let schedule: NoiseSchedule
    private let sigmas: [Float: Float]
    let first: Float
    var scales: Bool { !sigmas.isEmpty }

    init(_ sampler: any Sampler, _ configuration: SchedulerConfiguration) {
        schedule = NoiseSchedule(configuration, setAlphaToOne: false, rescalesBetas: true)
        if let euler = sampler as? Euler {
            sigmas = Dictionary(
                zip(euler.timesteps, euler.sigmas), uniquingKeysWith: { first, _ in first })
            first = euler.timesteps[0]
        } else {
            sigmas = [:]
            first = Float((sampler as? PNDM)?.timesteps[0] ?? (sampler as? DDIM)?.timesteps[0] ?? 0)
        }
    }

    func alpha(_ timestep: Float) -> Double {
        guard let sigma = sigmas[timestep].map({ Double($0) }) else {
            return Double(schedule.alpha(at: Int(timestep)))
        }
        return 1 / (sigma * sigma + 1)
    }
}
