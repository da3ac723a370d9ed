import Foundation

/// DPM-Solver++(2M) on the stochastic equation: Lu et al., "DPM-Solver++", 2022, appendix; k-diffusion's
/// `sample_dpmpp_2m_sde`, diffusers' `DPMSolverMultistepScheduler` with `sde-dpmsolver++`.
struct DPMPP2MSDE: UpdateRule {
    /// How the change of the picture enters.
    enum Form: Sendable { case midpoint, heun }

    var form = Form.midpoint
    var eta = 1.0
    private var last: (denoised: Latents, logStep: Double)?

    init(form: Form = .midpoint, eta: Double = 1) {
        self.form = form
        self.eta = eta
    }

    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update {
        let denoised = try await model(latents, sigma: interval.sigma)
        guard interval.next > 0 else { return Update(denoised, denoised: denoised) }
        defer { last = (denoised, interval.logStep) }
        let step = interval.logStep * (1 + eta)
        let share = -expm1(-step)
        var result = Float(exp(-step)) * latents + Float(share) * denoised
        if let last {
            let weight = form == .midpoint ? share / 2 : 1 - share / step
            result = result + Float(weight * interval.logStep / last.logStep) * (denoised - last.denoised)
        }
        if eta > 0 { result = result + (try interval.freshNoise(eta: eta, like: latents, &noise)) }
        return Update(result, denoised: denoised)
    }
}

extension NoiseInterval {
    /// The noise that a stochastic step ends with: of standard deviation σ·√(1 − e^(−2ηh)).
    func freshNoise(eta: Double, like latents: Latents, _ noise: inout PictureNoise) throws -> Latents {
        Float(next * (-expm1(-2 * eta * logStep)).squareRoot())
            * (try noise.latents(like: latents, over: self, to: next))
    }
}
