/// DPM-Solver-2's midpoint in log σ, in the form of Karras et al., 2022: k-diffusion's `sample_dpm_2`, diffusers'
/// `KDPM2DiscreteScheduler`. It asks the model twice a step.
struct DPM2: UpdateRule {
    var churn = Churn()

    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update {
        let (start, sigma) = try churn.applied(to: latents, over: interval, noise: &noise)
        let denoised = try await model(start, sigma: sigma)
        let derivative = (start - denoised) / Float(sigma)
        guard interval.next > 0 else {
            return Update(start + Float(interval.next - sigma) * derivative, denoised: denoised)
        }
        return Update(
            try await midpointStep(start, derivative, from: sigma, to: interval.next, model),
            denoised: denoised)
    }
}

/// Along the derivative at the geometric mean of both levels, which the one at the start leads to.
func midpointStep(
    _ latents: Latents, _ derivative: Latents, from sigma: Double, to next: Double, _ model: SigmaModel
) async throws -> Latents {
    let middle = (sigma * next).squareRoot()
    let guess = latents + Float(middle - sigma) * derivative
    let atMiddle = (guess - (try await model(guess, sigma: middle))) / Float(middle)
    return latents + Float(next - sigma) * atMiddle
}
