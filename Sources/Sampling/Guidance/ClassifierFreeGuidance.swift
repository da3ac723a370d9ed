/// Classifier-free guidance: away from what the model makes of no prompt, towards what it makes of the prompt.
///
/// Ho and Salimans, 2022, with the scale w of Saharia et al., 2022, equation 2: ε = ε∅ + w·(ε − ε∅), in float32.
public struct ClassifierFreeGuidance: Sendable, Hashable {
    /// The scales, spread evenly over the steps and linear between; at least one.
    private let scales: [Float]
    /// Which part of the steps is guided, from 0 to 1; in the rest the prompt alone leads.
    private let interval: ClosedRange<Double>
    /// φ: how much of the guided output's standard deviation is brought back to the conditional one's.
    private let rescale: Float

    /// - Parameters:
    ///   - scales: One for all steps, or several, spread evenly over them. 1 or less means no guidance, as in diffusers.
    ///   - interval: Guidance is for that part of the steps only (Kynkäänniemi et al., "Applying Guidance in a Limited
    ///     Interval", 2024), from 0 to 1.
    ///   - rescale: φ of Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed", 2023, equation 16,
    ///     from 0 to 1.
    /// - Throws: ``SamplingError/guidanceScaleNotFinite(_:)``, also for a scale past float32's range;
    ///   ``SamplingError/guidanceOutOfRange(field:value:)``.
    public init(scales: [Double], interval: ClosedRange<Double> = 0...1, rescale: Double = 0) throws {
        for scale in scales {
            guard Float(scale).isFinite else { throw SamplingError.guidanceScaleNotFinite(scale) }
        }
        guard (0...1).contains(rescale) else {
            throw SamplingError.guidanceOutOfRange(field: "guidance rescale", value: rescale)
        }
        for bound in [interval.lowerBound, interval.upperBound] where !(0...1).contains(bound) {
            throw SamplingError.guidanceOutOfRange(field: "guidance interval", value: bound)
        }
        self.scales = scales.isEmpty ? [1] : scales.map { Float($0) }
        self.interval = interval
        self.rescale = Float(rescale)
    }

    /// Whether the model is to be asked twice at some step; else the conditional output is all.
    public var isActive: Bool { scales.contains { $0 > 1 } }

    /// Whether every step has the same scale.
    public var isConstant: Bool { interval == 0...1 && Set(scales).count == 1 }

    /// The scale of a step; 1 where it is not guided.
    ///
    /// - Parameters:
    ///   - step: From 0; past the last it counts as the last, since some samplers take more steps than they expected.
    ///   - count: How many steps there are.
    public func scale(at step: Int, of count: Int) -> Float {
        let step = min(step, max(count - 1, 0))
        let place = Double(step) / Double(max(count, 1))
        guard interval.contains(place) else { return 1 }
        guard scales.count > 1, count > 1 else { return scales[0] }
        let position = Double(step) / Double(count - 1) * Double(scales.count - 1)
        let low = min(Int(position), scales.count - 2)
        return scales[low] + Float(position - Double(low)) * (scales[low + 1] - scales[low])
    }

    /// The guided output; of several conditions each leads by its weight (Liu et al., "Compositional Visual Generation
    /// with Composable Diffusion Models", 2022, equation 11): ε∅ + w·Σ wᵢ·(εᵢ − ε∅).
    ///
    /// - Parameters:
    ///   - scale: w, as ``scale(at:of:)`` gives it.
    ///   - lead: What is added before the output is rescaled; nil for nothing.
    /// - Throws: ``SamplingError/shapeMismatch(expected:actual:)``.
    public func combine(
        unconditional: Latents, conditionals: [(output: Latents, weight: Float)], scale: Float,
        also lead: Latents? = nil
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
        if let lead { result = result + lead }
        guard rescale > 0, let first = conditionals.first else { return result }
        return rescaled(result, like: first.output)
    }

    /// Equations 15 and 16 of Lin et al., for each picture.
    private func rescaled(_ guided: Latents, like conditional: Latents) -> Latents {
        let size = guided.values.count / guided.batch
        var values = guided.values
        for picture in 0..<guided.batch {
            let range = picture * size..<(picture + 1) * size
            let spread = deviation(guided.values[range])
            guard spread > 0 else { continue }
            let ratio = deviation(conditional.values[range]) / spread
            for index in range { values[index] *= rescale * ratio + (1 - rescale) }
        }
        return guided.replacing(values)
    }

    /// The standard deviation, with Bessel's correction as PyTorch has it.
    private func deviation(_ values: ArraySlice<Float>) -> Float {
        let count = Double(values.count)
        let mean = values.reduce(0) { $0 + Double($1) } / count
        let sum = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return Float((sum / max(count - 1, 1)).squareRoot())
    }
}
