import Foundation

/// DPM-Solver++(2M), a multistep method of order 2 in log σ: Lu et al., "DPM-Solver++", 2022, algorithm 2; k-diffusion's
/// `sample_dpmpp_2m`, diffusers' `DPMSolverMultistepScheduler`.
struct DPMPP2M: UpdateRule {
    /// Whether the last of fewer than 15 steps is of order 1, also where it does not end at 0.
    var lowerOrderFinal = true
    /// Whether the last step always is.
    var eulerAtFinal = false
    private var last: (denoised: Latents, logStep: Double)?

    init(lowerOrderFinal: Bool = true, eulerAtFinal: Bool = false) {
        self.lowerOrderFinal = lowerOrderFinal
        self.eulerAtFinal = eulerAtFinal
    }

    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update {
        let denoised = try await model(latents, sigma: interval.sigma)
        defer { last = (denoised, interval.logStep) }
        let isEnd = interval.index == interval.count - 1
        let isLower = isEnd && (eulerAtFinal || lowerOrderFinal && interval.count < 15)
        guard let last, interval.next > 0, !isLower else {
            return Update(
                interpolated(latents, denoised, by: interval.next / interval.sigma), denoised: denoised)
        }
        let ratio = last.logStep / interval.logStep
        let extrapolated = denoised + Float(1 / (2 * ratio)) * (denoised - last.denoised)
        return Update(
            interpolated(latents, extrapolated, by: interval.next / interval.sigma), denoised: denoised)
    }
}
