import Checkpoints
import Foundation
import TensorGraph

/// The names of the small autoencoder's weights in its author's own files, `taesd_decoder` and `taesd_encoder`, whose
/// layers are numbered without a prefix: `taesd.py`. The decoder begins there with a layer without weights, which
/// diffusers does not count.
public struct TinyAutoencoderNames: Sendable {
    /// Which half a file has.
    public enum Half: String, Sendable, CaseIterable {
        case encoder, decoder

        /// The one that it is not.
        public var other: Half { self == .encoder ? .decoder : .encoder }
    }

    /// The half that names are of; nil for other names.
    ///
    /// - Parameter prefix: What all of them begin with.
    public static func half(_ catalog: any WeightCatalog, prefix: String = "") -> Half? {
        guard catalog.entry(named: prefix + "3.conv.0.weight") != nil else { return nil }
        if catalog.entry(named: prefix + "0.weight") != nil { return .encoder }
        return catalog.entry(named: prefix + "1.weight") != nil ? .decoder : nil
    }

    /// What the names of each half begin with where one file has both: those of the author's module, and of ComfyUI's.
    private static let prefixesOfBoth: [[Half: String]] = [
        [.encoder: "encoder.", .decoder: "decoder."],
        [.encoder: "taesd_encoder.", .decoder: "taesd_decoder."],
    ]

    /// What names begin with in one file of both halves, or of a half with a prefix; nil for other names.
    public static func prefixes(_ catalog: any WeightCatalog) -> [Half: String]? {
        prefixesOfBoth.first { prefixes in prefixes.contains { half(catalog, prefix: $1) == $0 } }
    }

    /// What the other half's file is called: `taesd_encoder.safetensors` where a decoder's is `taesd_decoder.safetensors`;
    /// nil where the name does not say which half it is.
    public static func fileName(of half: Half, beside name: String) -> String? {
        let other = half.other.rawValue
        guard let found = name.range(of: other, options: [.caseInsensitive, .backwards]) else { return nil }
        return name.replacingCharacters(in: found, with: half.rawValue)
    }

    public let table: ModuleTable

    /// - Parameter prefixes: The halves that there are, and what the names of each begin with.
    public init(_ prefixes: [Half: String]) {
        var table = ModuleTable()
        for layer in 0..<64 {
            if let prefix = prefixes[.encoder] { table.add("\(prefix)\(layer)", "encoder.layers.\(layer)") }
            if let prefix = prefixes[.decoder], layer > 0 {
                table.add("\(prefix)\(layer)", "decoder.layers.\(layer - 1)")
            }
        }
        self.table = table
    }

    public init(_ half: Half) { self.init([half: ""]) }
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
