/// What a model's name or its title says of a distillation to few steps. Such a model has the same tensors as others of its
/// family, so that nothing else tells.
struct DistilledName {
    /// The word that says it.
    let word: String

    private static let starts = ["turbo", "lightning"]
    private static let whole: Set<String> = ["hyper", "lcm", "dmd", "dmd2", "flash", "pcm", "tcd"]

    /// - Returns: Nil where nothing is said of it.
    init?(_ texts: [String]) {
        let words = texts.flatMap { $0.lowercased().split { !$0.isLetter && !$0.isNumber } }.map(String.init)
        guard
            let word = words.first(where: { word in
                Self.whole.contains(word) || Self.starts.contains { word.hasPrefix($0) || word.hasSuffix($0) }
            })
        else { return nil }
        self.word = word
    }

    /// Whether a request is one for such a model: more steps or more guidance give worse pictures.
    static func fits(steps: Int, guidanceScale: Float) -> Bool { steps <= 12 && guidanceScale <= 3 }
}
