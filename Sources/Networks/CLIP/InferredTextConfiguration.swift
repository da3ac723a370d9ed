import Checkpoints
import TensorGraph

extension Configuration {
    /// The `config.json` that transformers would write for a CLIP text encoder, from its weights alone. Heads are of 64
    /// channels, as all that are used with Stable Diffusion have them.
    ///
    /// - Parameters:
    ///   - catalog: Weights under transformers' names.
    ///   - activation: `quick_gelu` for OpenAI's encoders, `gelu` for OpenCLIP's.
    /// - Returns: Nil where there are no layers of a text encoder.
    public static func textEncoder(of catalog: any WeightCatalog, activation: String) -> Configuration? {
        let weights = ShapeReader(catalog)
        let root = weights.has("text_model.embeddings.token_embedding.weight") ? "text_model." : ""
        let layers = weights.count(modules: "\(root)encoder.layers")
        guard layers > 0, let embedding = weights.shape("\(root)embeddings.token_embedding.weight"),
            embedding.rank == 2
        else { return nil }
        let projection = weights.size("text_projection.weight", 0) ?? weights.size("text_projection", 1)
        return Configuration(
            [
                "architectures": [projection == nil ? "CLIPTextModel" : "CLIPTextModelWithProjection"],
                // CLIP's vocabulary ends with the tokens around a prompt.
                "bos_token_id": JSONValue(max(0, embedding[0] - 2)),
                "eos_token_id": JSONValue(max(0, embedding[0] - 1)),
                "hidden_act": .string(activation),
                "hidden_size": JSONValue(embedding[1]),
                "intermediate_size": JSONValue(
                    weights.size("\(root)encoder.layers.0.mlp.fc1.weight", 0) ?? 4 * embedding[1]),
                "layer_norm_eps": 1e-05,
                "max_position_embeddings": JSONValue(
                    weights.size("\(root)embeddings.position_embedding.weight", 0) ?? 77),
                "model_type": "clip_text_model",
                "num_attention_heads": JSONValue(max(1, embedding[1] / 64)),
                "num_hidden_layers": JSONValue(layers),
                "projection_dim": JSONValue(projection ?? embedding[1]),
                "vocab_size": JSONValue(embedding[0]),
            ], path: catalog.origin)
    }
}
