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
    /// The family that it is for, as far as its notes or else its layers show it; of one that is not known, as the notes
    /// have it.
    public let family: String?
    /// The family that the notes name, where it is a known one.
    let notedFamily: BaseFamily?
    /// The family that the layers' names and widths show.
    let shownFamily: BaseFamily?

    /// - Returns: Nil where no tensor is an adapter's.
    public init?(_ checkpoint: Checkpoint) {
        var kinds: Set<String> = []
        var layers: [Bool: Set<String>] = [:]
        var ranks: Set<Int> = []
        var widths: [Bool: [String: Int]] = [:]
        var hasSecondTextEncoder = false
        for name in checkpoint.names {
            guard let key = AdapterKey(name), let entry = checkpoint.entry(named: name) else { continue }
            let isText =
                if case .textEncoder = key.network {
                    true
                } else {
                    ["text_model_", "encoder_layers_", "text_projection"].contains {
                        key.layer.hasPrefix($0)
                    }
                }
            layers[isText, default: []].insert(key.layer)
            if key.network == .textEncoder(1) { hasSecondTextEncoder = true }
            if [.down, .hadamard1Down, .weightChange].contains(key.part), entry.shape.rank > 1 {
                widths[isText, default: [:]][key.layer] = entry.shape[1]
            }
            switch key.part {
            case .down:
                kinds.insert("LoRA")
                if entry.shape.rank > 1 { ranks.insert(entry.shape[0]) }
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
        notedFamily = words.lazy.compactMap { BaseFamily(noted: $0) }.first
        shownFamily = BaseFamily(
            layers: layers[false] ?? [], inputWidths: widths[false] ?? [:], textWidths: widths[true] ?? [:],
            hasSecondTextEncoder: hasSecondTextEncoder)
        family = (notedFamily ?? (words.isEmpty ? shownFamily : nil))?.rawValue ?? words.first
    }

    /// The family that it is for, where that is another one than the model's: as the notes say unless the layers show that
    /// they are wrong.
    func otherFamily(than model: BaseFamily) -> BaseFamily? {
        guard let family = notedFamily ?? shownFamily, !family.includes(model) else { return nil }
        return shownFamily?.includes(model) == true ? nil : family
    }
}
