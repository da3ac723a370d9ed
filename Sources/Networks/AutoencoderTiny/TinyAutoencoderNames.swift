import Checkpoints
import TensorGraph

/// The names of the small autoencoder's weights in its author's own files, `taesd_decoder` and `taesd_encoder`, whose
/// layers are numbered without a prefix: `taesd.py`. The decoder begins there with a layer without weights, which
/// diffusers does not count.
public struct TinyAutoencoderNames: Sendable {
    /// Which half a file has.
    public enum Half: Sendable {
        case encoder, decoder
    }

    /// The half that names are of; nil for other names.
    public static func half(_ catalog: any WeightCatalog) -> Half? {
        guard catalog.entry(named: "3.conv.0.weight") != nil else { return nil }
        if catalog.entry(named: "0.weight") != nil { return .encoder }
        return catalog.entry(named: "1.weight") != nil ? .decoder : nil
    }

    public let table: ModuleTable

    public init(_ half: Half) {
        var table = ModuleTable()
        for layer in 0..<64 {
            switch half {
            case .encoder: table.add("\(layer)", "encoder.layers.\(layer)")
            case .decoder where layer > 0: table.add("\(layer)", "decoder.layers.\(layer - 1)")
            case .decoder: break
            }
        }
        self.table = table
    }
}

extension Configuration {
    /// The `config.json` that diffusers would write for a small autoencoder, from its weights alone.
    ///
    /// - Parameter catalog: Weights under diffusers' names; of the decoder at least.
    /// - Returns: Nil where there are no layers of one.
    public static func tinyAutoencoder(of catalog: any WeightCatalog) -> Configuration? {
        let weights = ShapeReader(catalog)
        guard let channels = weights.size("decoder.layers.0.weight", 0),
            let latents = weights.size("decoder.layers.0.weight", 1)
        else { return nil }
        // A level ends with what has no block's name; behind all but the last there is nothing for a layer.
        var blocks = [0]
        var layer = 2
        while true {
            if weights.has("decoder.layers.\(layer).conv.0.weight") {
                blocks[blocks.count - 1] += 1
                layer += 1
            } else if weights.has("decoder.layers.\(layer + 1).weight") {
                blocks.append(0)
                layer += 2
            } else {
                break
            }
        }
        return Configuration(
            [
                "_class_name": "AutoencoderTiny",
                "act_fn": "relu",
                "decoder_block_out_channels": JSONValue(blocks.map { _ in channels }),
                "encoder_block_out_channels": JSONValue(blocks.map { _ in channels }),
                "in_channels": 3,
                "latent_channels": JSONValue(latents),
                "num_decoder_blocks": JSONValue(blocks),
                "num_encoder_blocks": JSONValue(Array(blocks.reversed())),
                "out_channels": 3,
                "scaling_factor": 1,
            ], path: catalog.origin)
    }
}
