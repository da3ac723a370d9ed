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

/// Two linear layers around SiLU: `[N, C] → [N, channels]`, diffusers' `TimestepEmbedding`.
func timestepEmbedding(_ waves: Tensor, to channels: Int, _ weights: WeightScope) -> Tensor {
    let hidden = silu(linear(waves, to: channels, weights["linear_1"]))
    return linear(hidden, to: channels, weights["linear_2"])
}
