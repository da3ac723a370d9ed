import Foundation
import TensorGraph

/// How a timestep becomes waves: diffusers' `Timesteps`.
struct SinusoidalEncoding: Sendable, Hashable {
    let channels: Int
    /// Whether the cosines come before the sines.
    let cosinesFirst: Bool
    /// What the number of frequencies is lessened by where they are spaced.
    let frequencyShift: Double

    /// Sines and cosines of the timestep at falling frequencies (Ho et al. 2020): `[N] → [N, channels]`.
    func callAsFunction(_ timestep: Tensor, _ builder: GraphBuilder) -> Tensor {
        let half = channels / 2
        let frequencies = (0..<half).map { index in
            exp(Float(-log(10000.0)) * Float(index) / Float(Double(half) - frequencyShift))
        }
        let angles =
            reshape(timestep, [timestep.size(0), 1])
            * builder.constant(HostTensor(frequencies, shape: [1, half]))
        return concatenate(
            cosinesFirst ? [cosine(angles), sine(angles)] : [sine(angles), cosine(angles)], axis: 1)
    }
}

/// How the guidance scale becomes waves, for models that were distilled with guidance (Meng et al. 2023): diffusers'
/// `get_guidance_scale_embedding`.
struct GuidanceScaleEncoding {
    let channels: Int

    /// Sines and cosines of the scale less 1, a thousandfold, at falling frequencies: `[1] → [1, channels]`.
    func callAsFunction(_ scale: Tensor, _ builder: GraphBuilder) -> Tensor {
        let half = channels / 2
        let frequencies = (0..<half).map { exp(Float(-log(10000.0)) / Float(half - 1) * Float($0)) }
        let angles =
            reshape(scale * 1000, [1, 1]) * builder.constant(HostTensor(frequencies, shape: [1, half]))
        return concatenate([sine(angles), cosine(angles)], axis: 1)
    }
}

/// Two linear layers around SiLU: `[N, C] → [N, channels]`, diffusers' `TimestepEmbedding`.
func timestepEmbedding(_ waves: Tensor, to channels: Int, _ weights: WeightScope) -> Tensor {
    let hidden = silu(linear(waves, to: channels, weights["linear_1"]))
    return linear(hidden, to: channels, weights["linear_2"])
}
