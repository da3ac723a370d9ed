import Checkpoints
import TensorGraph

extension Configuration {
    /// The `config.json` that diffusers would write for a U-Net, from its weights alone: for files that have no
    /// configuration beside them.
    ///
    /// What weights do not show is as Stable Diffusion has it: heads are 8 where pictures are projected by 1×1
    /// convolutions, as in 1.x, and of 64 channels where by matrices, as in 2.x and XL; groups are 32.
    ///
    /// - Parameters:
    ///   - catalog: Weights under diffusers' names.
    ///   - sampleSize: The height and width in latent cells that the model was trained at.
    /// - Returns: Nil where there are no levels of a U-Net.
    public static func unet(of catalog: any WeightCatalog, sampleSize: Int) -> Configuration? {
        let weights = ShapeReader(catalog)
        // What a level lacks, or has in another shape, is told when it is built.
        let levels = weights.count(modules: "down_blocks")
        guard levels > 0 else { return nil }
        func kernel(_ name: String) -> Shape? {
            weights.shape(name).flatMap { $0.rank == 4 ? $0 : nil }
        }
        let channels = (0..<levels).map { weights.channels(ofResNet: "down_blocks.\($0).resnets.0") ?? 1 }
        let layers = (0..<levels).map { max(1, weights.count(modules: "down_blocks.\($0).resnets")) }
        func attends(_ block: String) -> Bool { weights.has(module: "\(block).attentions.0") }
        /// The numbers of transformer blocks behind each residual block.
        func depths(_ block: String, _ count: Int) -> [Int] {
            (0..<count).map { layer in
                weights.count(modules: "\(block).attentions.\(layer).transformer_blocks")
            }
        }
        let down = (0..<levels).map { attends("down_blocks.\($0)") }
        let up = (0..<levels).map { attends("up_blocks.\($0)") }
        let middle: JSONValue =
            attends("mid_block")
            ? "UNetMidBlock2DCrossAttn"
            : weights.has(module: "mid_block.resnets.0") ? "UNetMidBlock2D" : nil
        let downDepths = (0..<levels).map { depths("down_blocks.\($0)", layers[$0]) }
        let upDepths = (0..<levels).map { depths("up_blocks.\($0)", layers[levels - 1 - $0] + 1) }
        let middleDepth = depths("mid_block", 1)[0]
        // One number a level says all, where the blocks of a level are alike.
        let alike = (0..<levels).map { level -> Int? in
            var all = Set(downDepths[level] + upDepths[levels - 1 - level]).subtracting([0])
            if level == levels - 1 { all.formUnion(Set([middleDepth]).subtracting([0])) }
            return all.count <= 1 ? all.first ?? 1 : nil
        }
        let isAlike = !alike.contains(nil)
        let blocks =
            (0..<levels).flatMap { ["down_blocks.\($0)", "up_blocks.\($0)"] } + ["mid_block"]
        let attention = blocks.first(where: attends).map { "\($0).attentions.0" }
        let isLinear = attention.flatMap { weights.shape("\($0).proj_in.weight") }?.rank == 2
        // The width of most, so that one that is missing or has another shape is told when it is built.
        let context = weights.mostCommonSize(
            blocks.map { ("\($0).attentions.0.transformer_blocks.0.attn2.to_k.weight", 1) })
        let heads = channels.map { isLinear ? max(1, $0 / 64) : 8 }

        var members: JSONObject = [
            "_class_name": "UNet2DConditionModel",
            "act_fn": "silu",
            "attention_head_dim": JSONValue(heads),
            "block_out_channels": JSONValue(channels),
            "center_input_sample": false,
            "cross_attention_dim": JSONValue(context ?? 768),
            "down_block_types": JSONValue(down.map { $0 ? "CrossAttnDownBlock2D" : "DownBlock2D" }),
            "downsample_padding": 1,
            "flip_sin_to_cos": true,
            "freq_shift": 0,
            "in_channels": JSONValue(kernel("conv_in.weight")?[1] ?? 4),
            "layers_per_block": JSONValue(layers),
            "mid_block_type": middle,
            "norm_eps": 1e-05,
            "norm_num_groups": 32,
            "out_channels": JSONValue(kernel("conv_out.weight")?[0] ?? 4),
            "sample_size": JSONValue(sampleSize),
            "transformer_layers_per_block": isAlike
                ? JSONValue(alike.compactMap(\.self)) : .array(downDepths.map { JSONValue($0) }),
            "up_block_types": JSONValue(up.map { $0 ? "CrossAttnUpBlock2D" : "UpBlock2D" }),
            "use_linear_projection": .bool(isLinear),
        ]
        if !isAlike {
            members = members.with(
                "reverse_transformer_layers_per_block", .array(upDepths.map { JSONValue($0) }))
        }
        if let width = weights.size("add_embedding.linear_1.weight", 1) {
            members = members.with("addition_embed_type", "text_time")
                .with("addition_time_embed_dim", 256)
                .with("projection_class_embeddings_input_dim", JSONValue(width))
        }
        if let width = weights.size("time_embedding.cond_proj.weight", 1) {
            members = members.with("time_cond_proj_dim", JSONValue(width))
        }
        return Configuration(members, path: catalog.origin)
    }
}
