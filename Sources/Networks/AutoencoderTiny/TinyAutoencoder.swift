import Checkpoints
import TensorGraph

/// A small autoencoder that was distilled from a large one, and gives nearly the same pictures in a fraction of the time:
/// TAESD, https://github.com/madebyollin/taesd.
///
/// diffusers' `AutoencoderTiny`. Its latents are the model's own, already scaled.
public struct TinyAutoencoder: PictureAutoencoder, Hashable {
    public let latentChannels: Int
    public let scalingFactor: Float
    public let shiftFactor: Float
    public var drawsLatents: Bool { false }
    /// The blocks of each level, on the encoder's way down and on the decoder's way up.
    private let encoderLevels: [Level]
    private let decoderLevels: [Level]

    private struct Level: Sendable, Hashable {
        let channels: Int
        let blocks: Int
    }

    public var factor: Int { 1 << (decoderLevels.count - 1) }

    /// None: it is small, and its activations reach far.
    public func quantizedDecoderLayers(of weights: any WeightCatalog) -> Set<String> { [] }

    /// Reads diffusers' `config.json` of an `AutoencoderTiny`.
    ///
    /// - Throws: `ConfigurationError` where a size is missing or out of range, or where it asks for something that no
    ///   such autoencoder has.
    public init(_ configuration: Configuration) throws {
        latentChannels = try configuration.integer("latent_channels", default: 4, in: 1...1024)
        scalingFactor = Float(try configuration.number("scaling_factor", default: 1, in: 1e-6...1e6))
        shiftFactor = Float(try configuration.number("shift_factor", default: 0, in: -1e6...1e6))
        func levels(_ half: String, blocks: [Int]) throws -> [Level] {
            let channels = try configuration.integers(
                "\(half)_block_out_channels", default: [64, 64, 64, 64], in: 1...65536)
            let counts = try configuration.integers("num_\(half)_blocks", default: blocks, in: 0...64)
            try configuration.require(
                (1...8).contains(channels.count) && counts.count == channels.count, "num_\(half)_blocks",
                "a list of 1 to 8 numbers, as many as \(half)_block_out_channels")
            return zip(channels, counts).map { Level(channels: $0, blocks: $1) }
        }
        encoderLevels = try levels("encoder", blocks: [1, 3, 3, 3])
        decoderLevels = try levels("decoder", blocks: [3, 3, 3, 1])
        try configuration.require(
            decoderLevels.count == encoderLevels.count, "decoder_block_out_channels",
            "as many as the encoder's")
        for key in ["in_channels", "out_channels"] {
            let value = try configuration.integer(key, default: 3, in: 1...16)
            try configuration.require(value == 3, key, "3")
        }
        for (key, expected) in [("act_fn", "relu"), ("upsample_fn", "nearest")] {
            let value = try configuration.string(key, default: expected)
            try configuration.require(value == expected, key, "\"\(expected)\"")
        }
        let scaling = try configuration.integer("upsampling_scaling_factor", default: 2, in: 1...16)
        try configuration.require(scaling == 2, "upsampling_scaling_factor", "2")
    }

    public func decoderGraph(batch: Int, height: Int, width: Int, weights catalog: any WeightCatalog) throws
        -> Graph
    {
        func isEncoders(_ name: String) -> Bool { name.hasPrefix("encoder.") }
        return try Graph.build("vae decoder", weights: catalog, ignoring: isEncoders) { builder in
            let latents = builder.input("latents", [batch, latentChannels, height, width])
            let weights = builder.weights["decoder.layers"]
            // Latents that reach too far are held back.
            var x = hyperbolicTangent(latents / 3) * 3
            x = relu(convolution(x, to: decoderLevels[0].channels, weights[0]))
            // The layers are numbered through, those without weights included.
            var layer = 2
            for (index, level) in decoderLevels.enumerated() {
                for _ in 0..<level.blocks {
                    x = block(x, weights[layer])
                    layer += 1
                }
                let isLast = index + 1 == decoderLevels.count
                if !isLast {
                    x = upsampleNearest(x, factor: 2)
                    layer += 1
                }
                x = convolution(x, to: isLast ? 3 : level.channels, bias: isLast, weights[layer])
                layer += 1
            }
            return ["pictures": x * 2 - 1]
        }
    }

    public func encoderGraph(batch: Int, height: Int, width: Int, weights catalog: any WeightCatalog) throws
        -> Graph
    {
        func isDecoders(_ name: String) -> Bool { name.hasPrefix("decoder.") }
        return try Graph.build("vae encoder", weights: catalog, ignoring: isDecoders) { builder in
            let weights = builder.weights["encoder.layers"]
            var x = (builder.input("pictures", [batch, 3, height, width]) + 1) / 2
            var layer = 0
            for (index, level) in encoderLevels.enumerated() {
                x = convolution(
                    x, to: level.channels, stride: index == 0 ? 1 : 2, padding: Convolution.Padding(1),
                    bias: index == 0, weights[layer])
                layer += 1
                for _ in 0..<level.blocks {
                    x = block(x, weights[layer])
                    layer += 1
                }
            }
            return ["moments": convolution(x, to: latentChannels, weights[layer])]
        }
    }

    /// Three convolutions beside a shortcut: `[N, C, h, w]`.
    private func block(_ x: Tensor, _ weights: WeightScope) -> Tensor {
        let channels = x.size(1)
        var hidden = relu(convolution(x, to: channels, weights["conv.0"]))
        hidden = relu(convolution(hidden, to: channels, weights["conv.2"]))
        return relu(convolution(hidden, to: channels, weights["conv.4"]) + x)
    }
}
