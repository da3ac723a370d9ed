/// Heun's method on the probability flow: Karras et al., 2022, algorithm 2; as diffusers' `HeunDiscreteScheduler`.
/// It asks the model twice a step.
struct Heun: UpdateRule {
    var churn = Churn()

    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update {
        let (start, sigma) = try churn.applied(to: latents, over: interval, noise: &noise)
        let denoised = try await model(start, sigma: sigma)
        let derivative = (start - denoised) / Float(sigma)
        let step = Float(interval.next - sigma)
        let guess = start + step * derivative
        guard interval.next > 0 else { return Update(guess, denoised: denoised) }
        let atEnd = (guess - (try await model(guess, sigma: interval.next))) / Float(interval.next)
        return Update(start + step * ((derivative + atEnd) / 2), denoised: denoised)
    }
}
