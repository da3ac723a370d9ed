/// Euler's method on the probability flow: Karras et al., 2022, algorithm 2 with first-order steps; as diffusers'
/// `EulerDiscreteScheduler`.
struct Euler: UpdateRule {
    var churn = Churn()

    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update {
        let (start, sigma) = try churn.applied(to: latents, over: interval, noise: &noise)
        let denoised = try await model(start, sigma: sigma)
        let derivative = (start - denoised) / Float(sigma)
        return Update(start + Float(interval.next - sigma) * derivative, denoised: denoised)
    }
}
