import Foundation

/// DPM-Solver++(2S) with fresh noise at each step: Lu et al., "DPM-Solver++", 2022, algorithm 1; k-diffusion's
/// `sample_dpmpp_2s_ancestral`. It asks the model twice a step.
struct DPMPP2SAncestral: UpdateRule {
    var eta = 1.0

    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update {
        let sigma = interval.sigma
        let denoised = try await model(latents, sigma: sigma)
        let step = AncestralStep(from: sigma, to: interval.next, eta: eta)
        var result: Latents
        if step.down == 0 {
            result = denoised
        } else {
            let middle = (sigma * step.down).squareRoot()
            let guess = interpolated(latents, denoised, by: middle / sigma)
            result = interpolated(
                latents, try await model(guess, sigma: middle), by: step.down / sigma)
        }
        if interval.next > 0 { result = result + Float(step.up) * (try noise.latents(like: latents)) }
        return Update(result, denoised: denoised)
    }
}

/// Latents at a lower noise level, where the picture in them stays as it is: r·x + (1−r)·x₀, r the ratio of the levels.
///
/// It is DPM-Solver++'s step of order 1, since 1−r is −expm1(−h).
func interpolated(_ latents: Latents, _ denoised: Latents, by ratio: Double) -> Latents {
    Float(ratio) * latents + Float(1 - ratio) * denoised
}
