/// Euler's method with fresh noise at each step; as diffusers' `EulerAncestralDiscreteScheduler` and k-diffusion's
/// `sample_euler_ancestral`.
struct EulerAncestral: UpdateRule {
    var eta = 1.0

    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update {
        let denoised = try await model(latents, sigma: interval.sigma)
        let derivative = (latents - denoised) / Float(interval.sigma)
        let step = AncestralStep(from: interval.sigma, to: interval.next, eta: eta)
        var result = latents + Float(step.down - interval.sigma) * derivative
        if step.up > 0 { result = result + Float(step.up) * (try noise.latents(like: latents)) }
        return Update(result, denoised: denoised)
    }
}
