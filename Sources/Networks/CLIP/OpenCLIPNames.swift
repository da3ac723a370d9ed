import Checkpoints
import TensorGraph

/// The names that OpenCLIP gives a text encoder's weights, where queries, keys and values are projected by one matrix.
public struct OpenCLIPNames: Sendable {
    public let table: ModuleTable

    private static let layers: ModuleTable.Layers = [
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj",
        "mlp.c_fc": "mlp.fc1",
        "mlp.c_proj": "mlp.fc2",
    ]

    /// Whether names are those of such a text encoder.
    public static func fits(_ catalog: any WeightCatalog) -> Bool {
        catalog.entry(named: "transformer.resblocks.0.attn.in_proj_weight") != nil
    }

    /// How many layers there are.
    public static func layerCount(_ catalog: any WeightCatalog) -> Int {
        (0..<1000).first { catalog.entry(named: "transformer.resblocks.\($0).attn.in_proj_weight") == nil }
            ?? 1000
    }

    /// - Parameter layers: How many.
    public init(layers: Int) {
        var table = ModuleTable()
        table.add("token_embedding", "text_model.embeddings.token_embedding")
        table.add("ln_final", "text_model.final_layer_norm")
        for layer in 0..<layers {
            table.add(
                "transformer.resblocks.\(layer)", "text_model.encoder.layers.\(layer)", layers: Self.layers)
        }
        self.table = table
    }

    /// What each weight here comes from, of those in a catalogue.
    ///
    /// - Parameter leftOut: How many of the last layers are not taken, as Stable Diffusion 2 never reaches its last.
    public static func sources(_ catalog: any WeightCatalog, leavingOut leftOut: Int) -> [String: WeightView
        .Source]
    {
        let count = layerCount(catalog)
        let table = OpenCLIPNames(layers: count).table
        var sources: [String: WeightView.Source] = [:]
        for name in catalog.names {
            if let ours = table.name(of: name) { sources[ours] = .init(name) }
        }
        sources["text_model.embeddings.position_embedding.weight"] = .init("positional_embedding")
        for layer in 0..<count {
            for kind in ["weight", "bias"] {
                let fused = "transformer.resblocks.\(layer).attn.in_proj_\(kind)"
                for (index, projection) in ["q_proj", "k_proj", "v_proj"].enumerated() {
                    sources["text_model.encoder.layers.\(layer).self_attn.\(projection).\(kind)"] =
                        .init(fused, part: .init(index, of: 3))
                }
            }
        }
        for layer in max(0, count - leftOut)..<count {
            let path = "text_model.encoder.layers.\(layer)."
            sources = sources.filter { !$0.key.hasPrefix(path) }
        }
        // The matrix is the other way round than a linear layer's; it keeps its own name.
        if catalog.entry(named: "text_projection") != nil {
            sources["text_projection"] = .init("text_projection")
        }
        return sources
    }

    /// What each weight here comes from, of those in a catalogue with stable-diffusion.cpp's names: transformers', but for
    /// the matrix of queries, keys and values, which may be one, and the projection's.
    ///
    /// - Parameter leftOut: How many of the last layers are not taken.
    public static func renamedSources(_ catalog: any WeightCatalog, leavingOut leftOut: Int) -> [String:
        WeightView
        .Source]
    {
        let layers = "text_model.encoder.layers."
        let count =
            (0..<1000).first { catalog.entry(named: "\(layers)\($0).layer_norm1.weight") == nil } ?? 1000
        let unused = (max(0, count - leftOut)..<count).map { "\(layers)\($0)." }
        let projections = ["text_model.text_projection": "text_projection"]
        var sources: [String: WeightView.Source] = [:]
        for name in catalog.names where !unused.contains(where: name.hasPrefix) {
            let parts = name.split(separator: ".")
            guard parts.count > 1, parts[parts.count - 2] == "in_proj" else {
                sources[projections[name] ?? name] = .init(name)
                continue
            }
            let path = parts.dropLast(2).joined(separator: ".")
            for (index, projection) in ["q_proj", "k_proj", "v_proj"].enumerated() {
                sources["\(path).\(projection).\(parts[parts.count - 1])"] = .init(
                    name, part: .init(index, of: 3))
            }
        }
        return sources
    }
}
