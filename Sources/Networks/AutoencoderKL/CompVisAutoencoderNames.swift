import Checkpoints
import TensorGraph

/// The names that CompVis' program gives an autoencoder's weights: `ldm/modules/diffusionmodules/model.py`. There the
/// decoder's levels are numbered from the finest, here from the coarsest.
public struct CompVisAutoencoderNames: Sendable {
    /// The prefix of the autoencoder's weights in a whole model's file.
    public static let prefix = "first_stage_model."

    public let table: ModuleTable

    private static let resNet: ModuleTable.Layers = [
        "norm1": "norm1", "conv1": "conv1", "norm2": "norm2", "conv2": "conv2",
        "nin_shortcut": "conv_shortcut",
    ]
    private static let attention: ModuleTable.Layers = [
        "norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0",
    ]

    /// Whether names, without the prefix, are those of such an autoencoder.
    public static func fits(_ catalog: any WeightCatalog) -> Bool {
        Modules(catalog).has("decoder.mid.block_1")
    }

    /// - Parameter catalog: The autoencoder's weights, without the prefix.
    public init(_ catalog: any WeightCatalog) {
        let modules = Modules(catalog)
        self.init(
            down: modules.layers("encoder.down", "block"), up: modules.layers("decoder.up", "block"))
    }

    /// The table for an autoencoder whose weights have diffusers' names.
    public init(describing catalog: any WeightCatalog) {
        let modules = Modules(catalog)
        self.init(
            down: modules.layers("encoder.down_blocks", "resnets"),
            up: modules.layers("decoder.up_blocks", "resnets").reversed())
    }

    /// - Parameters:
    ///   - down: How many layers the encoder's levels have, from the finest.
    ///   - up: How many the decoder's have, from the finest.
    private init(down: [Int], up: [Int]) {
        var table = ModuleTable()
        for convolution in ["quant_conv", "post_quant_conv"] { table.add(convolution, convolution) }
        for half in ["encoder", "decoder"] {
            for (theirs, ours) in [
                ("conv_in", "conv_in"), ("norm_out", "conv_norm_out"), ("conv_out", "conv_out"),
            ] {
                table.add("\(half).\(theirs)", "\(half).\(ours)")
            }
            table.add("\(half).mid.block_1", "\(half).mid_block.resnets.0", layers: Self.resNet)
            table.add(
                "\(half).mid.attn_1", "\(half).mid_block.attentions.0", layers: Self.attention,
                hasMatrices: true)
            table.add("\(half).mid.block_2", "\(half).mid_block.resnets.1", layers: Self.resNet)
        }
        for (level, count) in down.enumerated() {
            for layer in 0..<count {
                table.add(
                    "encoder.down.\(level).block.\(layer)", "encoder.down_blocks.\(level).resnets.\(layer)",
                    layers: Self.resNet)
            }
            table.add(
                "encoder.down.\(level).downsample.conv", "encoder.down_blocks.\(level).downsamplers.0.conv")
        }
        for (level, count) in up.enumerated() {
            let ours = up.count - 1 - level
            for layer in 0..<count {
                table.add(
                    "decoder.up.\(level).block.\(layer)", "decoder.up_blocks.\(ours).resnets.\(layer)",
                    layers: Self.resNet)
            }
            table.add("decoder.up.\(level).upsample.conv", "decoder.up_blocks.\(ours).upsamplers.0.conv")
        }
        self.table = table
    }
}

extension Modules {
    /// How many layers each level has, `path.0.layers.0`, `path.0.layers.1`, …
    fileprivate func layers(_ path: String, _ layers: String) -> [Int] {
        (0..<count(path)).map { count("\(path).\($0).\(layers)") }
    }
}
