import Foundation

/// Diffusion exponential integrator sampler, a multistep method in log ρ: Zhang and Chen, 2023; diffusers'
/// `DEISMultistepScheduler`.
///
/// The noise between two levels is the line in log σ through the last two, integrated over σ.
struct DEIS: UpdateRule {
    var lowerOrderFinal = true
    private var last: (sigma: Double, epsilon: Latents)?

    init(lowerOrderFinal: Bool = true) { self.lowerOrderFinal = lowerOrderFinal }

    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update {
        let (sigma, next) = (interval.sigma, interval.next)
        let denoised = try await model(latents, sigma: sigma)
        let epsilon = (latents - denoised) / Float(sigma)
        defer { last = (sigma, epsilon) }
        let isShortEnd = lowerOrderFinal && interval.count < 15 && interval.index == interval.count - 1
        guard let last, next > 0, !isShortEnd else {
            return Update(latents + Float(next - sigma) * epsilon, denoised: denoised)
        }
        let own = integral(from: sigma, to: next, oneAt: sigma, zeroAt: last.sigma)
        let other = integral(from: sigma, to: next, oneAt: last.sigma, zeroAt: sigma)
        return Update(latents + Float(own) * epsilon + Float(other) * last.epsilon, denoised: denoised)
    }

    /// ∫ (log σ − log z) / (log o − log z) dσ.
    private func integral(from start: Double, to end: Double, oneAt one: Double, zeroAt zero: Double)
        -> Double
    {
        func primitive(_ sigma: Double) -> Double {
            sigma * (log(sigma) - log(zero) - 1) / (log(one) - log(zero))
        }
        return primitive(end) - primitive(start)
    }
}
