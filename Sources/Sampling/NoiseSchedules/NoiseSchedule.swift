import Foundation

/// How much of the picture is left at each training timestep: ᾱ (`alphas_cumprod`), in float32 as diffusers
/// computes it.
///
/// At timestep t the noisy latents are √ᾱ·x₀ + √(1−ᾱ)·ε (Ho et al., 2020, equation 4).
public struct NoiseSchedule: Sendable, Hashable {
    /// ᾱ of the training timesteps, falling, one each.
    public let alphasCumprod: [Float]
    /// ᾱ before the first timestep.
    public let finalAlphaCumprod: Float

    /// How many timesteps the model was trained with.
    public var trainTimesteps: Int { alphasCumprod.count }

    /// - Parameters:
    ///   - setAlphaToOne: Whether ᾱ counts as 1 before the first timestep, else as that of timestep 0; used where
    ///     the configuration does not say.
    ///   - rescalesBetas: Whether this sampler heeds `rescale_betas_zero_snr`.
    ///   - least: What the last ᾱ becomes where rescaling makes it 0; nil keeps it 0.
    init(
        _ configuration: SchedulerConfiguration, setAlphaToOne: Bool, rescalesBetas: Bool, least: Float? = nil
    ) {
        var betas = Self.betas(configuration)
        let rescales = rescalesBetas && configuration.rescaleBetasZeroSNR
        if rescales { betas = Self.rescaledToZeroSNR(betas) }
        var alphas = Self.cumulativeProduct(betas.map { 1 - $0 })
        if rescales, let least { alphas[alphas.count - 1] = least }
        alphasCumprod = alphas
        finalAlphaCumprod = configuration.setAlphaToOne ?? setAlphaToOne ? 1 : alphas[0]
    }

    /// ᾱ at a timestep; before the first one, ``finalAlphaCumprod``.
    func alpha(at timestep: Int) -> Float {
        timestep < 0 ? finalAlphaCumprod : alphasCumprod[min(timestep, trainTimesteps - 1)]
    }

    /// A picture's latents at a timestep, the noise in them: Ho et al., 2020, equation 4.
    func noised(_ original: Latents, with noise: Latents, at timestep: Int) -> Latents {
        let alpha = alpha(at: timestep)
        return alpha.squareRoot() * original + (1 - alpha).squareRoot() * noise
    }

    /// The noise's standard deviation for latents that are not scaled down: √((1−ᾱ)/ᾱ), rising.
    var sigmas: [Float] { alphasCumprod.map { ((1 - $0) / $0).squareRoot() } }

    private static func betas(_ configuration: SchedulerConfiguration) -> [Float] {
        if let betas = configuration.trainedBetas { return betas.map { Float($0) } }
        let count = configuration.trainTimesteps
        switch configuration.betaSchedule {
        case .linear:
            return linearSpace(configuration.betaStart, configuration.betaEnd, count: count)
        case .scaledLinear:
            let roots = linearSpace(
                configuration.betaStart.squareRoot(), configuration.betaEnd.squareRoot(), count: count)
            return roots.map { $0 * $0 }
        case .squaredCosine:
            func alpha(_ index: Int) -> Double {
                let cosine = cos((Double(index) / Double(count) + 0.008) / 1.008 * Double.pi / 2)
                return cosine * cosine
            }
            return (0..<count).map { Float(min(1 - alpha($0 + 1) / alpha($0), 0.999)) }
        }
    }

    /// `torch.linspace` in float32: from both ends to the middle, each value rounded once.
    private static func linearSpace(_ start: Double, _ end: Double, count: Int) -> [Float] {
        let (start, end) = (Float(start), Float(end))
        guard count > 1 else { return [start] }
        let step = (end - start) / Float(count - 1)
        return (0..<count).map { index in
            index < count / 2
                ? start.addingProduct(step, Float(index)) : end.addingProduct(-step, Float(count - 1 - index))
        }
    }

    /// `torch.cumprod`: the running product is kept in double precision.
    private static func cumulativeProduct(_ values: [Float]) -> [Float] {
        var product = 1.0
        return values.map { value in
            product *= Double(value)
            return Float(product)
        }
    }

    /// Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed", 2023, algorithm 1.
    private static func rescaledToZeroSNR(_ betas: [Float]) -> [Float] {
        let roots = cumulativeProduct(betas.map { 1 - $0 }).map { $0.squareRoot() }
        guard let first = roots.first, let last = roots.last, first > last else { return betas }
        let scale = first / (first - last)
        let alphas = roots.map { root in
            let shifted = (root - last) * scale
            return shifted * shifted
        }
        return alphas.indices.map { 1 - ($0 == 0 ? alphas[0] : alphas[$0] / alphas[$0 - 1]) }
    }
}
