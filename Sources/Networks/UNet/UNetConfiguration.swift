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
        /// The number of transformer blocks behind each residual block on the way down, 0 where there is no attention.
        let transformersDown: [Int]
        /// The same on the way up.
        let transformersUp: [Int]
        /// Whether there is a coarser level below.
        let hasCoarser: Bool
    }

    /// The first level from the finest whose cells attend to each other; nil where none does.
    var finestAttendingLevel: Int? {
        levels.firstIndex { level in (level.transformersDown + level.transformersUp).contains { $0 > 0 } }
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
    let middle: Middle
    /// What is told of the whole prompt and of the picture's size, in Stable Diffusion XL; nil in others.
    public let addition: Addition?
    /// The width of the guidance scale's encoding, which models that were distilled with guidance are told; nil in others.
    public let guidanceEncodingWidth: Int?

    /// What is between the way down and the way up.
    enum Middle: Sendable, Hashable {
        case nothing
        case residualBlock
        /// Two residual blocks, and attention of so many transformer blocks between.
        case attention(transformers: Int)
    }

    /// How a U-Net is told of the whole prompt and the picture's size: numbers as waves, beside the prompt's pooled
    /// embedding (Podell et al., "SDXL", 2023, section 2.2).
    public struct Addition: Sendable, Hashable {
        let encoding: SinusoidalEncoding
        /// Of the pooled embedding and all waves together.
        public let width: Int

        /// How many numbers are told beside a pooled embedding of a width; nil where they do not fit.
        public func numberCount(pooledWidth: Int) -> Int? {
            let rest = width - pooledWidth
            return rest > 0 && rest.isMultiple(of: encoding.channels) ? rest / encoding.channels : nil
        }
    }

    /// The number of channels of the time embedding.
    var timeChannels: Int { 4 * levels[0].channels }
    var norm: GroupNormalization { GroupNormalization(groups: groups, epsilon: epsilon) }

    /// Reads diffusers' `config.json` of a `UNet2DConditionModel`.
    ///
    /// - Throws: `ConfigurationError` where a size is missing or out of range, or where the configuration asks
    ///   for something that no Stable Diffusion U-Net has; the message names it.
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
        let depthKey = "transformer_layers_per_block"
        let depths = try configuration.integerLists(depthKey, lengths: layers, default: 1, in: 0...64)
        let upLengths = layers.reversed().map { $0 + 1 }
        let reverseKey = "reverse_transformer_layers_per_block"
        let upDepths: [[Int]]
        if configuration.has(reverseKey) {
            upDepths = try configuration.integerLists(reverseKey, lengths: upLengths, default: 1, in: 0...64)
        } else {
            try configuration.require(
                depths.allSatisfy { Set($0).count == 1 }, reverseKey,
                "a list, where \(depthKey) has lists of different numbers")
            upDepths = zip(depths.reversed(), upLengths).map { Array(repeating: $0[0], count: $1) }
        }
        switch configuration.members["mid_block_type"] {
        case .null: middle = .nothing
        case .string("UNetMidBlock2D"): middle = .residualBlock
        default: middle = .attention(transformers: depths.last?.first ?? 1)
        }

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
                transformersDown: down[index] ? depths[index] : layers[index].zeros,
                transformersUp: up[count - 1 - index]
                    ? upDepths[count - 1 - index] : (layers[index] + 1).zeros,
                hasCoarser: index + 1 < count)
        }
        try configuration.require(
            channels[0] % 2 == 0, "block_out_channels", "a list that begins with an even number")
        let cosinesFirst = try configuration.bool("flip_sin_to_cos", default: true)
        let shift = try configuration.number("freq_shift", default: 0, in: 0...1)
        encoding = SinusoidalEncoding(
            channels: channels[0], cosinesFirst: cosinesFirst, frequencyShift: shift)
        guidanceEncodingWidth = try configuration.optionalInteger("time_cond_proj_dim", in: 4...65536)
        addition = try Self.addition(configuration, cosinesFirst: cosinesFirst, shift: shift)
    }

    private static func addition(_ configuration: Configuration, cosinesFirst: Bool, shift: Double) throws
        -> Addition?
    {
        guard let type = try configuration.optionalString("addition_embed_type") else { return nil }
        try configuration.require(type == "text_time", "addition_embed_type", "null or \"text_time\"")
        let channels = try configuration.integer("addition_time_embed_dim", in: 2...65536)
        try configuration.require(channels % 2 == 0, "addition_time_embed_dim", "an even number")
        return Addition(
            encoding: SinusoidalEncoding(
                channels: channels, cosinesFirst: cosinesFirst, frequencyShift: shift),
            width: try configuration.integer("projection_class_embeddings_input_dim", in: 1...1_000_000))
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
            ("attention_type", "default"),
        ] {
            let value = try configuration.string(key, default: expected)
            try configuration.require(value == expected, key, "\"\(expected)\"")
        }
        let middle = try configuration.string("mid_block_type", default: "UNetMidBlock2DCrossAttn")
        try configuration.require(
            ["UNetMidBlock2DCrossAttn", "UNetMidBlock2D"].contains(middle), "mid_block_type",
            "\"UNetMidBlock2DCrossAttn\", \"UNetMidBlock2D\" or null")
        for key in [
            "class_embed_type", "encoder_hid_dim_type", "encoder_hid_dim", "num_class_embeds",
            "time_embedding_dim", "time_embedding_act_fn",
            "timestep_post_act", "conv_in_kernel_size", "cross_attention_norm",
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

extension Int {
    /// As many zeros.
    fileprivate var zeros: [Int] { Array(repeating: 0, count: self) }
}
