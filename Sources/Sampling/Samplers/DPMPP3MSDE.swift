import Foundation

/// DPM-Solver++(3M) on the stochastic equation, a multistep method of order 3: k-diffusion's `sample_dpmpp_3m_sde`.
struct DPMPP3MSDE: UpdateRule {
    var eta = 1.0
    /// The last pictures and steps, newest first.
    private var history: [(denoised: Latents, logStep: Double)] = []

    init(eta: Double = 1) { self.eta = eta }

    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update {
        let denoised = try await model(latents, sigma: interval.sigma)
        guard interval.next > 0 else { return Update(denoised, denoised: denoised) }
        defer { history = [(denoised, interval.logStep)] + history.prefix(1) }
        let step = interval.logStep * (1 + eta)
        var result = Float(exp(-step)) * latents + Float(-expm1(-step)) * denoised
        let second = expm1(-step) / step + 1
        let third = second / step - 0.5
        if history.count == 2 {
            let (near, far) = (history[0].logStep / interval.logStep, history[1].logStep / interval.logStep)
            let slope = (denoised - history[0].denoised) / Float(near)
            let earlier = (history[0].denoised - history[1].denoised) / Float(far)
            let bend = (slope - earlier) / Float(near + far)
            result = result + Float(second) * (slope + Float(near) * bend) - Float(third) * bend
        } else if let last = history.first {
            let slope = (denoised - last.denoised) / Float(last.logStep / interval.logStep)
            result = result + Float(second) * slope
        }
        if eta > 0 { result = result + (try interval.freshNoise(eta: eta, like: latents, &noise)) }
        return Update(result, denoised: denoised)
    }
}
