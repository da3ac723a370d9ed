/// A step of noise split in two: down without noise to a lower level than wanted, then up by fresh noise.
///
/// Song et al., 2021, in the form of k-diffusion's `get_ancestral_step`.
struct AncestralStep {
    /// The level to go down to.
    let down: Double
    /// The standard deviation of the noise to add.
    let up: Double

    /// - Parameter eta: How much of the noise is fresh: 0 none, 1 as the ancestral sampler has it.
    init(from sigma: Double, to next: Double, eta: Double) {
        let variance = next * next * (sigma * sigma - next * next) / (sigma * sigma)
        up = min(next, eta * max(variance, 0).squareRoot())
        down = max(next * next - up * up, 0).squareRoot()
    }
}
