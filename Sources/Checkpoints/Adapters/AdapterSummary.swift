import TensorGraph

/// What an adapter's file has, by its tensors' names and shapes and its trainer's notes alone.
public struct AdapterSummary: Sendable, Hashable {
    /// `LoRA`, `LoHa`, `LoKr`, `DoRA`, `whole differences`: those that there are.
    public let kinds: [String]
    /// How many layers of U-Nets and of text encoders are changed; of both where the names do not say.
    public let unetLayers: Int
    public let textEncoderLayers: Int
    /// The ranks of low-rank matrices; nil where there are none.
    public let ranks: ClosedRange<Int>?
    /// The family that it is for, as far as its notes or the width of the text show it.
    public let family: String?

    /// - Returns: Nil where no tensor is an adapter's.
    public init?(_ checkpoint: Checkpoint) {
        var kinds: Set<String> = []
        var layers: [Bool: Set<String>] = [:]
        var ranks: Set<Int> = []
        var contextWidth: Int?
        for name in checkpoint.names {
            guard let key = AdapterKey(name), let entry = checkpoint.entry(named: name) else { continue }
            let isText =
                if case .textEncoder = key.network {
                    true
                } else {
                    key.layer.hasPrefix("text_model_") || key.layer.hasPrefix("encoder_layers_")
                }
            layers[isText, default: []].insert(key.layer)
            switch key.part {
            case .down:
                kinds.insert("LoRA")
                if entry.shape.rank > 1 {
                    ranks.insert(entry.shape[0])
                    if key.layer.hasSuffix("attn2_to_k") { contextWidth = entry.shape[1] }
                }
            case .magnitude, .outputMagnitude: kinds.insert("DoRA")
            case .hadamard1Up: kinds.insert("LoHa")
            case .kronecker1, .kronecker1Up: kinds.insert("LoKr")
            case .weightChange: kinds.insert("whole differences")
            default: break
            }
        }
        guard !kinds.isEmpty else { return nil }
        self.kinds = kinds.sorted()
        unetLayers = layers[false]?.count ?? 0
        textEncoderLayers = layers[true]?.count ?? 0
        self.ranks = ranks.min().flatMap { least in ranks.max().map { least...$0 } }
        let words = ["modelspec.architecture", "ss_base_model_version"].compactMap { checkpoint.metadata[$0] }
        let byWidth: [Int: String] = [
            768: "Stable Diffusion 1", 1024: "Stable Diffusion 2", 2048: "Stable Diffusion XL",
        ]
        family =
            words.first { $0.lowercased().contains("xl") } ?? contextWidth.flatMap { byWidth[$0] }
            ?? words.first
    }
}
