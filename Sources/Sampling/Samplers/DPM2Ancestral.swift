/// DPM-Solver-2 with fresh noise at each step: k-diffusion's `sample_dpm_2_ancestral`, diffusers'
/// `KDPM2AncestralDiscreteScheduler`. It asks the model twice a step.
struct DPM2Ancestral: UpdateRule {
    var eta = 1.0

    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update {
        let denoised = try await model(latents, sigma: interval.sigma)
        let derivative = (latents - denoised) / Float(interval.sigma)
        let step = AncestralStep(from: interval.sigma, to: interval.next, eta: eta)
        guard step.down > 0 else {
            return Update(latents + Float(step.down - interval.sigma) * derivative, denoised: denoised)
        }
        let down = try await midpointStep(latents, derivative, from: interval.sigma, to: step.down, model)
        let fresh = try noise.latents(like: latents)
        return Update(down + Float(step.up) * fresh, denoised: denoised)
    }
}
