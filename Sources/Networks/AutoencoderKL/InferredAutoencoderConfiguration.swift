import Checkpoints
import TensorGraph

extension Configuration {
    /// The `config.json` that diffusers would write for an autoencoder, from its weights alone.
    ///
    /// - Parameters:
    ///   - catalog: Weights under diffusers' names.
    ///   - scalingFactor: What latents are multiplied by, which no weight shows.
    /// - Returns: Nil where there are no levels of an autoencoder.
    public static func autoencoder(of catalog: any WeightCatalog, scalingFactor: Double) -> Configuration? {
        let weights = ShapeReader(catalog)
        // What a level lacks, or has in another shape, is told when it is built.
        let levels = weights.count(modules: "encoder.down_blocks")
        guard levels > 0, weights.has(module: "decoder") else { return nil }
        let latents =
            weights.size("decoder.conv_in.weight", 1) ?? weights.size("post_quant_conv.weight", 0) ?? 4
        let channels = (0..<levels).map {
            weights.channels(ofResNet: "encoder.down_blocks.\($0).resnets.0") ?? 1
        }
        return Configuration(
            [
                "_class_name": "AutoencoderKL",
                "act_fn": "silu",
                "block_out_channels": JSONValue(channels),
                "down_block_types": JSONValue(channels.map { _ in "DownEncoderBlock2D" }),
                "in_channels": 3,
                "latent_channels": JSONValue(latents),
                "layers_per_block": JSONValue(
                    max(1, weights.count(modules: "encoder.down_blocks.0.resnets"))),
                "mid_block_add_attention": .bool(weights.has(module: "decoder.mid_block.attentions.0")),
                "norm_num_groups": 32,
                "out_channels": 3,
                "scaling_factor": .number(JSONNumber(scalingFactor)),
                "up_block_types": JSONValue(channels.map { _ in "UpDecoderBlock2D" }),
                "use_post_quant_conv": .bool(weights.has(module: "post_quant_conv")),
                "use_quant_conv": .bool(weights.has(module: "quant_conv")),
            ], path: catalog.origin)
    }
}
