import Checkpoints
import TensorGraph

/// CLIP's text encoder (Radford et al. 2021): token ids to embeddings, a transformer that looks back only.
public struct CLIPTextEncoder: Sendable {
    public let configuration: CLIPTextConfiguration
    public init(_ configuration: CLIPTextConfiguration) { self.configuration = configuration }

    /// The network as a graph: `tokens` `[batch, length]` of `int32` to `embeddings`
    /// `[batch, length, width]`.
    ///
    /// - Parameters:
    ///   - skippedLayers: How many layers are left out at the end ("CLIP skip"); fewer than there are.
    ///   - hidesTokens: Whether there is a second input `mask` `[batch, 1, 1, length]`: 0, or minus infinity where no token
    ///     attends to; never at the first.
    ///
    /// transformers' `CLIPTextModel` up to `last_hidden_state`. Its names begin with `text_model.` or, as
    /// transformers 5 writes them, do not.
    ///
    /// - Throws: `GraphError` where the checkpoint does not fit the configuration.
    public func graph(
        batch: Int, skippedLayers: Int = 0, hidesTokens: Bool = false, weights catalog: any WeightCatalog
    ) throws -> Graph {
        let length = configuration.positions
        let root = catalog.names.contains { $0.hasPrefix("text_model.") } ? "text_model" : ""
        func isUnused(_ name: String) -> Bool { isIgnored(name, skippedLayers: skippedLayers) }
        return try Graph.build("text encoder", weights: catalog, ignoring: isUnused) { builder in
            let tokens = builder.input("tokens", [batch, length], .int32)
            let weights = root.isEmpty ? builder.weights : builder.weights[root]
            let embeddings = weights["embeddings"]
            var x = gather(
                embeddings["token_embedding"].tensor(
                    "weight", [configuration.vocabularySize, configuration.width]), at: tokens)
            x =
                x
                + reshape(
                    embeddings["position_embedding"].tensor("weight", [length, configuration.width]),
                    [1, length, configuration.width])
            var mask = builder.constant(causalMask(length))
            if hidesTokens { mask = mask + builder.input("mask", [batch, 1, 1, length], .float32) }
            for index in 0..<configuration.layers - skippedLayers {
                x = layer(x, mask: mask, weights["encoder", "layers", index])
            }
            return ["embeddings": layerNorm(x, weights["final_layer_norm"], epsilon: configuration.epsilon)]
        }
    }

    /// Self-attention and a feed-forward layer, each normalised first and beside a shortcut:
    /// `[N, tokens, width]`.
    private func layer(_ x: Tensor, mask: Tensor, _ weights: WeightScope) -> Tensor {
        let normalized = layerNorm(x, weights["layer_norm1"], epsilon: configuration.epsilon)
        let x =
            x
            + multiHeadAttention(
                normalized, context: normalized, heads: configuration.heads, bias: true, mask: mask,
                names: ("q_proj", "k_proj", "v_proj", "out_proj"), weights["self_attn"])
        let hidden = linear(
            layerNorm(x, weights["layer_norm2"], epsilon: configuration.epsilon),
            to: configuration.feedForwardWidth, weights["mlp", "fc1"])
        return x + linear(configuration.activation(hidden), to: configuration.width, weights["mlp", "fc2"])
    }

    /// Minus infinity where a token would look at a later one: `[1, 1, length, length]`.
    private func causalMask(_ length: Int) -> HostTensor {
        var values = [Float](repeating: 0, count: length * length)
        for row in 0..<length {
            for column in row + 1..<max(length, row + 1) { values[row * length + column] = -.infinity }
        }
        return HostTensor(values, shape: [1, 1, length, length])
    }

    /// Buffers that older transformers saved, and heads that only train or search with the encoder.
    private func isIgnored(_ name: String, skippedLayers: Int) -> Bool {
        let skipped = configuration.layers - skippedLayers..<configuration.layers
        return skipped.contains { name.contains("encoder.layers.\($0).") }
            || name.hasSuffix("embeddings.position_ids") || name == "text_projection.weight"
            || name == "logit_scale"
    }
}
