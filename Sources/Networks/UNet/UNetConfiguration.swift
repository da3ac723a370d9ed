import Checkpoints
import TensorGraph

/// The sizes of a U-Net, as levels from the finest to the coarsest.
public struct UNetConfiguration: Sendable, Hashable {
    /// One resolution of the U-Net, on its way down and on its way up.
    struct Level: Sendable, Hashable {
        let index: Int
        let channels: Int
        /// The number of residual blocks on the way down; on the way up there is one more.
        let layers: Int
        let heads: Int
        /// The number of transformer blocks in each attention layer.
        let transformerLayers: Int
        let attendsGoingDown: Bool
        let attendsGoingUp: Bool
        /// Whether there is a coarser level below.
        let hasCoarser: Bool
    }

    public let inputChannels: Int
    public let outputChannels: Int
    /// The size of a token's embedding.
    public let contextWidth: Int
    /// The height in latent cells that the model was trained at.
    public let sampleHeight: Int
    /// The width in latent cells that the model was trained at.
    public let sampleWidth: Int
    let levels: [Level]
    let groups: Int
    let epsilon: Float
    let usesLinearProjection: Bool
    let encoding: SinusoidalEncoding
    let downsamplePadding: Int
    let hasMiddle: Bool

    /// The number of channels of the time embedding.
    var timeChannels: Int { 4 * levels[0].channels }
    var norm: GroupNormalization { GroupNormalization(groups: groups, epsilon: epsilon) }

    /// Reads diffusers' `config.json` of a `UNet2DConditionModel`.
    ///
    /// - Throws: `ConfigurationError` where a size is missing or out of range, or where the configuration asks
    ///   for something that no Stable Diffusion 1.x or 2.x U-Net has; the message names it.
    public init(_ configuration: Configuration) throws {
        try Self.refuseUnsupported(configuration)
        inputChannels = try configuration.integer("in_channels", default: 4, in: 1...1024)
        outputChannels = try configuration.integer("out_channels", default: 4, in: 1...1024)
        contextWidth = try configuration.integer("cross_attention_dim", default: 1280, in: 1...65536)
        let size = try configuration.integersOrOne("sample_size", count: 2, default: [64, 64], in: 1...4096)
        (sampleHeight, sampleWidth) = (size[0], size[1])
        groups = try configuration.integer("norm_num_groups", default: 32, in: 1...65536)
        epsilon = Float(try configuration.number("norm_eps", default: 1e-5, in: 0...1))
        usesLinearProjection = try configuration.bool("use_linear_projection", default: false)
        downsamplePadding = try configuration.integer("downsample_padding", default: 1, in: 0...1)
        hasMiddle = configuration.members["mid_block_type"] != .null

        let channels = try configuration.integers(
            "block_out_channels", default: [320, 640, 1280, 1280], in: 1...65536)
        try configuration.require(
            (1...16).contains(channels.count), "block_out_channels", "a list of 1 to 16 levels")
        let count = channels.count
        func repeated(_ value: Int) -> [Int] { Array(repeating: value, count: count) }
        let down = try Self.attending(
            configuration, "down_block_types", with: "CrossAttnDownBlock2D", without: "DownBlock2D",
            count: count)
        let up = try Self.attending(
            configuration, "up_block_types", with: "CrossAttnUpBlock2D", without: "UpBlock2D",
            count: count)
        let layers = try configuration.integersOrOne(
            "layers_per_block", count: count, default: repeated(2), in: 1...64)
        // What diffusers calls the dimension of a head is the number of heads in these U-Nets.
        let headsKey = configuration.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim"
        let heads = try configuration.integersOrOne(
            headsKey, count: count, default: repeated(8), in: 1...1024)
        let transformerLayers = try configuration.integersOrOne(
            "transformer_layers_per_block", count: count, default: repeated(1), in: 1...64)

        for (index, size) in channels.enumerated() {
            let attends = down[index] || up[count - 1 - index] || index == count - 1
            try configuration.require(
                size % groups == 0, "norm_num_groups", "a divisor of each of block_out_channels \(channels)")
            try configuration.require(
                !attends || size % heads[index] == 0, headsKey,
                "a divisor of block_out_channels[\(index)], which is \(size)")
        }
        levels = channels.indices.map { index in
            Level(
                index: index, channels: channels[index], layers: layers[index], heads: heads[index],
                transformerLayers: transformerLayers[index], attendsGoingDown: down[index],
                attendsGoingUp: up[count - 1 - index], hasCoarser: index + 1 < count)
        }
        try configuration.require(
            channels[0] % 2 == 0, "block_out_channels", "a list that begins with an even number")
        encoding = SinusoidalEncoding(
            channels: channels[0], cosinesFirst: try configuration.bool("flip_sin_to_cos", default: true),
            frequencyShift: try configuration.number("freq_shift", default: 0, in: 0...1))
    }

    /// Which blocks attend to the text, in the order of the configuration.
    private static func attending(
        _ configuration: Configuration, _ key: String, with attending: String, without plain: String,
        count: Int
    ) throws -> [Bool] {
        let types = try configuration.strings(key)
        try configuration.require(
            types.count == count, key, "a list of \(count) blocks, as many as block_out_channels")
        return try types.map { type in
            try configuration.require(
                type == attending || type == plain, key, "a list of \(attending) and \(plain)")
            return type == attending
        }
    }

    /// Names the settings of other architectures, so that none is computed as if it were not there.
    private static func refuseUnsupported(_ configuration: Configuration) throws {
        for (key, expected) in [
            ("act_fn", "silu"), ("resnet_time_scale_shift", "default"), ("time_embedding_type", "positional"),
            ("attention_type", "default"), ("mid_block_type", "UNetMidBlock2DCrossAttn"),
        ] {
            let value = try configuration.string(key, default: expected)
            try configuration.require(value == expected, key, "\"\(expected)\"")
        }
        for key in [
            "addition_embed_type", "class_embed_type", "encoder_hid_dim_type", "encoder_hid_dim",
            "time_cond_proj_dim", "num_class_embeds", "time_embedding_dim", "time_embedding_act_fn",
            "timestep_post_act", "conv_in_kernel_size", "cross_attention_norm", "addition_time_embed_dim",
            "reverse_transformer_layers_per_block",
        ] {
            try configuration.require(
                !configuration.has(key), key, "null: Easel has no U-Net with it")
        }
        for key in [
            "center_input_sample", "only_cross_attention", "dual_cross_attention", "class_embeddings_concat",
            "resnet_skip_time_act",
        ] {
            let value = try configuration.bool(key, default: false)
            try configuration.require(!value, key, "false: Easel has no U-Net with it")
        }
        for (key, expected) in [("conv_in_kernel", 3), ("conv_out_kernel", 3)] {
            let value = try configuration.integer(key, default: expected, in: 1...99)
            try configuration.require(value == expected, key, "\(expected)")
        }
        for key in ["mid_block_scale_factor", "resnet_out_scale_factor"] {
            let value = try configuration.number(key, default: 1, in: -1000...1000)
            try configuration.require(value == 1, key, "1")
        }
    }
}
