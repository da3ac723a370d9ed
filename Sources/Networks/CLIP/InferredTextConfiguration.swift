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
        let root = weights.has(module: "text_model") ? "text_model." : ""
        let layers = weights.count(modules: "\(root)encoder.layers")
        let (tokens, positions) = (
            "\(root)embeddings.token_embedding.weight", "\(root)embeddings.position_embedding.weight"
        )
        // What is missing, or has another shape than most, is told when it is built.
        guard layers > 0,
            let width = weights.mostCommonSize([
                (tokens, 1), (positions, 1), ("\(root)encoder.layers.0.layer_norm1.weight", 0),
                ("\(root)final_layer_norm.weight", 0),
            ])
        else { return nil }
        let vocabularySize = (weights.size(tokens, 1) == width ? weights.size(tokens, 0) : nil) ?? 49408
        let projection = weights.size("text_projection.weight", 0) ?? weights.size("text_projection", 1)
        return Configuration(
            [
                "architectures": [projection == nil ? "CLIPTextModel" : "CLIPTextModelWithProjection"],
                // CLIP's vocabulary ends with the tokens around a prompt.
                "bos_token_id": JSONValue(max(0, vocabularySize - 2)),
                "eos_token_id": JSONValue(max(0, vocabularySize - 1)),
                "hidden_act": .string(activation),
                "hidden_size": JSONValue(width),
                "intermediate_size": JSONValue(
                    weights.size("\(root)encoder.layers.0.mlp.fc1.weight", 0) ?? 4 * width),
                "layer_norm_eps": 1e-05,
                "max_position_embeddings": JSONValue(
                    weights.size(positions, 0) ?? 77),
                "model_type": "clip_text_model",
                "num_attention_heads": JSONValue(max(1, width / 64)),
                "num_hidden_layers": JSONValue(layers),
                "projection_dim": JSONValue(projection ?? width),
                "vocab_size": JSONValue(vocabularySize),
            ], path: catalog.origin)
    }
}
