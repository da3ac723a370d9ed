/// Noise put back before a step: Karras et al., 2022, algorithm 2.
public struct Churn: Sendable, Hashable {
    /// S_churn: how much in all; 0 for none.
    public var amount = 0.0
    /// S_tmin and S_tmax: the noise levels that it is done at.
    public var levels: ClosedRange<Double> = 0...Double.infinity
    /// S_noise: the noise's standard deviation.
    public var noise = 1.0

    public init() {}

    /// The latents at the higher level that the step then starts from.
    func applied(
        to latents: Latents, over interval: NoiseInterval, noise generators: inout PictureNoise
    ) throws -> (latents: Latents, sigma: Double) {
        let sigma = interval.sigma
        guard amount > 0, levels.contains(sigma) else { return (latents, sigma) }
        let raised = sigma * (1 + min(amount / Double(interval.count), 2.0.squareRoot() - 1))
        let added = (raised * raised - sigma * sigma).squareRoot()
        return (latents + Float(noise * added) * (try generators.latents(like: latents)), raised)
    }
}
