extension PredictionType {
    /// The picture x₀ that the network sees in latents √ᾱ·x₀ + √(1−ᾱ)·ε: [batch, channels, height, width].
    func original(_ latents: Latents, _ output: Latents, alpha: Float) -> Latents {
        let beta = 1 - alpha
        return switch self {
        case .epsilon: (latents - beta.squareRoot() * output) / alpha.squareRoot()
        case .sample: output
        case .vPrediction: alpha.squareRoot() * latents - beta.squareRoot() * output
        }
    }

    /// The noise ε that the network sees in the same latents: [batch, channels, height, width].
    func epsilon(_ latents: Latents, _ output: Latents, alpha: Float) -> Latents {
        let beta = 1 - alpha
        return switch self {
        case .epsilon: output
        case .sample: (latents - alpha.squareRoot() * output) / beta.squareRoot()
        case .vPrediction: alpha.squareRoot() * output + beta.squareRoot() * latents
        }
    }
}
