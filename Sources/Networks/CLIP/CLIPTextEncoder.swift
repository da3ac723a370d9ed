import Checkpoints
import TensorGraph

/// CLIP's text encoder (Radford et al. 2021): token ids to embeddings, a transformer that looks back only.
public struct CLIPTextEncoder: Sendable {
    public let configuration: CLIPTextConfiguration
    public init(_ configuration: CLIPTextConfiguration) { self.configuration = configuration }

    /// What is computed.
    public struct Options: Sendable, Hashable {
        /// How many layers are left out at the end ("CLIP skip") of what the U-Net attends to; fewer than there are.
        public var skippedLayers = 0
        /// Whether the embeddings are normalized after the last layer that is taken, as in Stable Diffusion 1 and 2.
        public var normalizesEmbeddings = true
        /// Whether there is a second output, `pooled`, of all layers: what the encoder says of the whole prompt.
        public var pools = false
        /// Whether there is an input `mask` `[batch, 1, 1, length]`: 0, or minus infinity where no token attends to; never
        /// at the first.
        public var hidesTokens = false
        /// Whether there are inputs `known` `[batch, length, 1]`, 1 for a token of the vocabulary and 0 for another, and
        /// `learned` `[batch, length, width]`, the others' embeddings.
        public var learnsWords = false

        public init() {}
    }

    /// The network as a graph: `tokens` `[batch, length]` of `int32` to `embeddings` `[batch, length, width]`; to `pooled`
    /// `[batch, projectionWidth]` too, from the place in `end` `[batch]` of `int32`, which counts through all of
    /// `tokens`.
    ///
    /// transformers' `CLIPTextModel` up to `last_hidden_state`, and `CLIPTextModelWithProjection`'s `text_embeds`. Its names
    /// begin with `text_model.` or, as transformers 5 writes them, do not.
    ///
    /// - Throws: `GraphError` where the checkpoint does not fit the configuration.
    public func graph(batch: Int, options: Options = Options(), weights catalog: any WeightCatalog) throws
        -> Graph
    {
        let length = configuration.positions
        let root = catalog.names.contains { $0.hasPrefix("text_model.") } ? "text_model" : ""
        func isUnused(_ name: String) -> Bool { isIgnored(name, options) }
        return try Graph.build("text encoder", weights: catalog, ignoring: isUnused) { builder in
            let tokens = builder.input("tokens", [batch, length], .int32)
            let weights = root.isEmpty ? builder.weights : builder.weights[root]
            let embeddings = weights["embeddings"]
            var x = gather(
                embeddings["token_embedding"].tensor(
                    "weight", [configuration.vocabularySize, configuration.width]), at: tokens)
            if options.learnsWords {
                let known = builder.input("known", [batch, length, 1], .float32)
                x = x * known + builder.input("learned", [batch, length, configuration.width], .float32)
            }
            x =
                x
                + reshape(
                    embeddings["position_embedding"].tensor("weight", [length, configuration.width]),
                    [1, length, configuration.width])
            var mask = builder.constant(causalMask(length))
            if options.hidesTokens { mask = mask + builder.input("mask", [batch, 1, 1, length], .float32) }
            let count = configuration.layers - options.skippedLayers
            var hidden = x
            for index in 0..<(options.pools ? configuration.layers : count) {
                x = layer(x, mask: mask, weights["encoder", "layers", index])
                if index + 1 == count { hidden = x }
            }
            func normalized(_ x: Tensor) -> Tensor {
                layerNorm(x, weights["final_layer_norm"], epsilon: configuration.epsilon)
            }
            let taken = options.normalizesEmbeddings ? normalized(hidden) : hidden
            guard options.pools else { return ["embeddings": taken] }
            let end = builder.input("end", [batch], .int32)
            let rows = reshape(normalized(x), [batch * length, configuration.width])
            return ["embeddings": taken, "pooled": projected(gather(rows, at: end), builder.weights)]
        }
    }

    /// `[batch, width] → [batch, projectionWidth]`, by OpenCLIP's matrix or transformers' layer.
    private func projected(_ x: Tensor, _ weights: WeightScope) -> Tensor {
        let size = configuration.projectionWidth
        return weights.has("text_projection")
            ? matrixMultiply(x, weights.tensor("text_projection", [configuration.width, size]))
            : linear(x, to: size, bias: false, weights["text_projection"])
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
    private func isIgnored(_ name: String, _ options: Options) -> Bool {
        if name.hasSuffix("embeddings.position_ids") || name == "logit_scale" { return true }
        if options.pools { return false }
        let skipped = configuration.layers - options.skippedLayers..<configuration.layers
        return skipped.contains { name.contains("encoder.layers.\($0).") }
            || !options.normalizesEmbeddings && name.contains("final_layer_norm.")
            || name == "text_projection.weight" || name == "text_projection"
    }
}
