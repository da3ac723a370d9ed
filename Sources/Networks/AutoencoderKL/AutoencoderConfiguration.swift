import Checkpoints
import TensorGraph

/// The sizes of a variational autoencoder, and how its latents are scaled.
public struct AutoencoderConfiguration: Sendable, Hashable {
    public let imageChannels: Int
    public let latentChannels: Int
    /// What latents are multiplied by after encoding, to have about unit variance.
    public let scalingFactor: Float
    /// What is taken from latents before they are scaled.
    public let shiftFactor: Float
    /// From the finest level to the coarsest.
    let channels: [Int]
    let layers: Int
    let groups: Int
    let hasQuantConvolution: Bool
    let hasPostQuantConvolution: Bool
    let middleAttends: Bool

    /// The number of pixels in a latent cell's side.
    public var factor: Int { 1 << (channels.count - 1) }
    var norm: GroupNormalization { GroupNormalization(groups: groups, epsilon: 1e-6) }

    /// Reads diffusers' `config.json` of an `AutoencoderKL`.
    ///
    /// - Throws: `ConfigurationError` where a size is missing or out of range, or where the configuration asks
    ///   for blocks that this autoencoder does not have; the message names them.
    public init(_ configuration: Configuration) throws {
        imageChannels = try configuration.integer("in_channels", default: 3, in: 1...16)
        latentChannels = try configuration.integer("latent_channels", default: 4, in: 1...1024)
        scalingFactor = Float(try configuration.number("scaling_factor", default: 0.18215, in: 1e-6...1e6))
        shiftFactor = Float(try configuration.number("shift_factor", default: 0, in: -1e6...1e6))
        channels = try configuration.integers("block_out_channels", default: [64], in: 1...65536)
        layers = try configuration.integer("layers_per_block", default: 1, in: 1...64)
        groups = try configuration.integer("norm_num_groups", default: 32, in: 1...65536)
        hasQuantConvolution = try configuration.bool("use_quant_conv", default: true)
        hasPostQuantConvolution = try configuration.bool("use_post_quant_conv", default: true)
        middleAttends = try configuration.bool("mid_block_add_attention", default: true)
        let count = channels.count
        try configuration.require(
            (1...8).contains(count), "block_out_channels", "a list of 1 to 8 levels")
        try configuration.require(
            channels.allSatisfy { [groups] in $0 % groups == 0 }, "norm_num_groups",
            "a divisor of each of block_out_channels \(channels)")
        let imageOutput = try configuration.integer("out_channels", default: imageChannels, in: 1...16)
        try configuration.require(imageOutput == 3 && imageChannels == 3, "out_channels", "3, as in_channels")
        let activation = try configuration.string("act_fn", default: "silu")
        try configuration.require(activation == "silu", "act_fn", "\"silu\"")
        for (key, type) in [
            ("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D"),
        ] {
            let types = try configuration.strings(key, default: Array(repeating: type, count: count))
            try configuration.require(
                types == Array(repeating: type, count: count), key, "\(count) times \"\(type)\"")
        }
    }
}
