/// Classifier-free guidance: away from what the model makes of no prompt, towards what it makes of the prompt.
///
/// Ho and Salimans, 2022, with the scale w of Saharia et al., 2022, equation 2: ε = ε∅ + w·(ε − ε∅), in float32.
public struct ClassifierFreeGuidance: Sendable, Hashable {
    public let scale: Float

    /// - Parameter scale: 1 or less means no guidance, as in diffusers.
    /// - Throws: ``SamplingError/guidanceScaleNotFinite(_:)``, also for a scale past float32's range.
    public init(scale: Double) throws {
        guard Float(scale).isFinite else { throw SamplingError.guidanceScaleNotFinite(scale) }
        self.scale = Float(scale)
    }

    /// Whether the model is to be asked twice; else the conditional output is all.
    public var isActive: Bool { scale > 1 }

    /// The guided output; the conditional one where guidance is not active.
    ///
    /// - Throws: ``SamplingError/shapeMismatch(expected:actual:)``.
    public func combine(unconditional: Latents, conditional: Latents) throws -> Latents {
        guard unconditional.shape == conditional.shape else {
            throw SamplingError.shapeMismatch(expected: conditional.shape, actual: unconditional.shape)
        }
        guard isActive else { return conditional }
        return unconditional.combined(with: conditional) { $0 + scale * ($1 - $0) }
    }
}
