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

    /// The guided output; of several conditions each leads by its weight (Liu et al., "Compositional Visual Generation
    /// with Composable Diffusion Models", 2022, equation 11): ε∅ + w·Σ wᵢ·(εᵢ − ε∅).
    ///
    /// - Throws: ``SamplingError/shapeMismatch(expected:actual:)``.
    public func combine(
        unconditional: Latents, conditionals: [(output: Latents, weight: Float)]
    ) throws -> Latents {
        var result = unconditional
        for conditional in conditionals {
            guard unconditional.shape == conditional.output.shape else {
                throw SamplingError.shapeMismatch(
                    expected: conditional.output.shape, actual: unconditional.shape)
            }
            let lead = unconditional.combined(with: conditional.output) {
                scale * conditional.weight * ($1 - $0)
            }
            result = result + lead
        }
        return result
    }
}
