/// DPM-Solver++ on the stochastic equation, with one stage between: k-diffusion's `sample_dpmpp_sde`, diffusers'
/// `DPMSolverSDEScheduler`. It asks the model twice a step.
struct DPMPPSDE: UpdateRule {
    var eta = 1.0

    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update {
        let (sigma, next) = (interval.sigma, interval.next)
        let denoised = try await model(latents, sigma: sigma)
        guard next > 0 else { return Update(denoised, denoised: denoised) }

        let middle = (sigma * next).squareRoot()
        let half = AncestralStep(from: sigma, to: middle, eta: eta)
        var guess = interpolated(latents, denoised, by: half.down / sigma)
        if eta > 0 {
            guess = guess + Float(half.up) * (try noise.latents(like: latents, over: interval, to: middle))
        }
        let atMiddle = try await model(guess, sigma: middle)

        let whole = AncestralStep(from: sigma, to: next, eta: eta)
        var result = interpolated(latents, atMiddle, by: whole.down / sigma)
        if eta > 0 {
            result = result + Float(whole.up) * (try noise.latents(like: latents, over: interval, to: next))
        }
        return Update(result, denoised: denoised)
    }
}
