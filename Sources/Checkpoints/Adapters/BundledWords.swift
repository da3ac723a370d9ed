import TensorGraph

/// Words' embeddings in an adapter's file, `bundle_emb.<word>.<text encoder>`, as OneTrainer writes them and
/// AUTOMATIC1111 and ComfyUI read them.
struct BundledWords {
    private static let prefix = "bundle_emb."
    private static let encoders = ["clip_l", "clip_g", "string_to_param.*"]

    private var matrices: [String: [TextualInversion.Matrix]] = [:]

    /// Takes a tensor.
    ///
    /// - Returns: False, and nothing is taken, for what is not such embeddings.
    mutating func add(_ name: String, _ shape: Shape, _ values: [Float]) -> Bool {
        guard name.hasPrefix(Self.prefix),
            let encoder = Self.encoders.first(where: { name.hasSuffix("." + $0) }),
            let width = TextualInversion.width(shape)
        else { return false }
        let word = String(name.dropFirst(Self.prefix.count).dropLast(encoder.count + 1))
        guard !word.isEmpty else { return false }
        matrices[word, default: []].append(
            .init(encoder: encoder.hasPrefix("clip") ? encoder : nil, width: width, values: values))
        return true
    }

    /// The words, in order, of those that have as many embeddings for each text encoder.
    func words(path: String) -> [TextualInversion] {
        matrices.sorted { $0.key < $1.key }.compactMap {
            TextualInversion(path: path, word: $0.key, $0.value)
        }
    }
}
