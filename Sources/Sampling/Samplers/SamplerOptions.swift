/// What a user may set of a sampler's rule.
public struct SamplerOptions: Sendable, Hashable {
    /// How much of each step's noise is fresh, from 0 to 1; nil for the sampler's own default.
    public var eta: Double?
    /// Noise put back before steps, for Euler, Heun and DPM2.
    public var churn = Churn()
    /// The schedule of noise levels, or the levels.
    public var levels = NoiseLevelOptions()
    /// How many steps are left out at the start, as image-to-image does; at most all.
    public var firstStep = 0

    public init(eta: Double? = nil, levels: NoiseLevelOptions = NoiseLevelOptions(), firstStep: Int = 0) {
        self.eta = eta
        self.levels = levels
        self.firstStep = firstStep
    }
}
