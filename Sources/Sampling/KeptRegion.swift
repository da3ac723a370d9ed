/// What of a picture stays while the rest of it is made anew: after each step its latents are put back, with as much
/// noise as the next step starts from.
///
/// Lugmayr et al., "RePaint", 2022, equation 8, without resampling; as diffusers' inpainting with an ordinary U-Net.
public struct KeptRegion: Sendable {
    /// The picture's latents: [batch, channels, height, width].
    private let original: Latents
    /// Standard normal, of the same shape.
    private let noise: Latents
    /// [height, width] in 0…1: 1 is made anew, 0 stays.
    private let mask: [Float]

    /// - Precondition: The shapes fit each other.
    public init(original: Latents, noise: Latents, mask: [Float]) {
        precondition(
            original.shape == noise.shape && mask.count == original.height * original.width,
            "\(original.shape) of latents, \(noise.shape) of noise, \(mask.count) of mask")
        self.original = original
        self.noise = noise
        self.mask = mask
    }

    /// The latents with the region put back, for a sampler's next step.
    func restored(in latents: Latents, before sampler: any Sampler) -> Latents {
        replaced(in: latents, by: sampler.noised(original, with: noise))
    }

    /// Latents of a picture, without noise, with the region put back.
    func restored(in latents: Latents) -> Latents { replaced(in: latents, by: original) }

    private func replaced(in latents: Latents, by kept: Latents) -> Latents {
        let cells = mask.count
        var result = latents.values
        for index in result.indices {
            let share = mask[index % cells]
            result[index] = (1 - share) * kept.values[index] + share * result[index]
        }
        return latents.replacing(result)
    }
}
