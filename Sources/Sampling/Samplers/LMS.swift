/// A linear multistep method of order 4 on the probability flow: k-diffusion's `sample_lms`, diffusers'
/// `LMSDiscreteScheduler`.
///
/// The derivative between two levels is the polynomial in σ through the last ones, integrated exactly.
struct LMS: UpdateRule {
    var order = 4
    /// Levels and derivatives there, newest last.
    private var history: [(sigma: Double, derivative: Latents)] = []

    init(order: Int = 4) { self.order = order }

    mutating func update(
        _ latents: Latents, over interval: NoiseInterval, model: SigmaModel, noise: inout PictureNoise
    ) async throws -> Update {
        let denoised = try await model(latents, sigma: interval.sigma)
        let derivative = (latents - denoised) / Float(interval.sigma)
        history = history.suffix(order - 1) + [(interval.sigma, derivative)]
        var result = latents
        for index in history.indices {
            let others = history.indices.filter { $0 != index }.map { history[$0].sigma }
            let weight = integral(
                ofPolynomialThrough: history[index].sigma, vanishingAt: others, from: interval.sigma,
                to: interval.next)
            result = result + Float(weight) * history[index].derivative
        }
        return Update(result, denoised: denoised)
    }

    /// The integral of Lagrange's polynomial that is 1 at a point and 0 at the others.
    private func integral(
        ofPolynomialThrough point: Double, vanishingAt others: [Double], from start: Double, to end: Double
    ) -> Double {
        // In the distance from the start, so that powers of it stay small.
        var coefficients = [1.0]
        for other in others {
            let root = other - start
            var product = [Double](repeating: 0, count: coefficients.count + 1)
            for (power, coefficient) in coefficients.enumerated() {
                product[power + 1] += coefficient / (point - other)
                product[power] -= coefficient * root / (point - other)
            }
            coefficients = product
        }
        let distance = end - start
        var (power, sum) = (distance, 0.0)
        for (index, coefficient) in coefficients.enumerated() {
            sum += coefficient * power / Double(index + 1)
            power *= distance
        }
        return sum
    }
}
