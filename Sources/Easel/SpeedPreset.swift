/// Settings of a request that make a picture in fewer operations, each at some distance from the exact one; how far is in
/// Benchmarks/README.md.
public struct SpeedPreset: Sendable, Hashable {
    public var steps: Int
    /// The name of the sampler; nil leaves the request's.
    public var sampler: String?
    public var deepCache: DeepCache?

    public init(steps: Int, sampler: String? = nil, deepCache: DeepCache? = nil) {
        self.steps = steps
        self.sampler = sampler
        self.deepCache = deepCache
    }

    /// A third of the time that 25 steps take, or less, and nearly the same picture. For models that were not distilled to
    /// a few steps; those are fast with the settings of their own.
    public static let fast = SpeedPreset(steps: 12, sampler: "dpmpp-2m", deepCache: DeepCache(interval: 3))
}

extension Request {
    /// Takes the preset's settings, where nothing else is asked for afterwards.
    public mutating func apply(_ preset: SpeedPreset) {
        (steps, sigmas, timesteps) = (preset.steps, nil, nil)
        sampler = preset.sampler ?? sampler
        deepCache = preset.deepCache
    }
}
