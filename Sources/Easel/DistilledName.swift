/// What a name, or a title, says of a distillation to few steps. Such models and LoRAs have the same tensors as others of
/// their family, so that nothing else tells.
struct DistilledName: Sendable, Hashable {
    /// How models are distilled to few steps, by the words that names have for it.
    enum Method: Sendable, Hashable {
        /// Adversarial diffusion distillation (Sauer et al., 2023): SDXL-Turbo and SD-Turbo.
        case turbo
        /// Lin et al., "SDXL-Lightning", 2024.
        case lightning
        /// Ren et al., "Hyper-SD", 2024.
        case hyper
        /// Luo et al., "Latent Consistency Models", 2023.
        case lcm
        /// Zheng et al., "Trajectory Consistency Distillation", 2024.
        case tcd
        /// Wang et al., "Phased Consistency Models", 2024.
        case pcm
        /// Yin et al., "Improved Distribution Matching Distillation", 2024.
        case dmd
        /// Chadebec et al., "Flash Diffusion", 2024.
        case flash
    }

    /// The word that says it.
    let word: String
    let method: Method
    /// How many steps the name says it is for.
    let steps: Int?
    /// Whether it is of a LoRA, or other small file, and not of a whole model.
    let isLoRA: Bool
    /// All of the name's letters and digits, for what else it says.
    private let letters: String

    /// Words that mean nothing else.
    private static let whole: [String: Method] = [
        "lcm": .lcm, "tcd": .tcd, "pcm": .pcm, "dmd": .dmd, "dmd2": .dmd, "hypersd": .hyper,
        "hypersdxl": .hyper,
    ]
    /// Words that are parts of others too.
    private static let parts: [(String, Method)] = [("turbo", .turbo), ("lightning", .lightning)]
    /// Words that mean something else too: only with what the name is about behind them.
    private static let ambiguous: [String: Method] = ["hyper": .hyper, "flash": .flash]
    /// What is distilled.
    private static let families: Set<String> = ["sd", "sd15", "sd21", "sdv1", "sdxl", "xl", "ssd", "ssd1b"]
    private static let companions =
        families.union([
            "vae", "baked", "bakedvae", "lora", "unet", "unified", "cfg", "inpaint", "inpainting",
        ])

    /// - Parameter texts: The model's name and its title, or a LoRA's.
    /// - Returns: Nil where nothing is said of it.
    init?(_ texts: [String], isLoRA: Bool = false) {
        let words = texts.flatMap(Self.words)
        steps = texts.lazy.compactMap(Self.steps).first
        var found: (String, Method)?
        for (index, word) in words.enumerated() where found == nil {
            let next = index + 1 < words.count ? words[index + 1] : nil
            if let method = Self.whole[word] {
                found = (word, method)
            } else if let method = Self.ambiguous[word] {
                let isAlone = next == nil || next?.first?.isNumber == true || next == "v"
                if Self.companions.contains(next ?? "") || isAlone && (!isLoRA || steps != nil) {
                    found = (word, method)
                }
            } else if let part = Self.parts.first(where: { word.hasPrefix($0.0) || word.hasSuffix($0.0) }) {
                // LoRAs are of cars and of weather too.
                let isAfterFamily =
                    index > 0 && Self.families.contains(words[index - 1])
                    || word.hasSuffix(part.0) && Self.families.contains(String(word.dropLast(part.0.count)))
                if !isLoRA || steps != nil || isAfterFamily { found = (word, part.1) }
            }
        }
        guard let found else { return nil }
        (word, method) = found
        self.isLoRA = isLoRA
        letters = words.joined()
    }

    /// Whether the name has these letters, whatever stands between its words.
    func says(_ letters: String) -> Bool { self.letters.contains(letters) }

    /// The words of a text in lower case: ended by what is neither letter nor digit, and where a capital begins another,
    /// as in `juggernautXL_v9Lightning` and `SDXLTurbo`.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        let characters = Array(text)
        for (index, character) in characters.enumerated() {
            let isPart = character.isLetter || character.isNumber
            if let last = word.last, isPart, character.isUppercase {
                let next = index + 1 < characters.count ? characters[index + 1] : " "
                if !last.isUppercase || next.isLowercase {
                    words.append(word)
                    word = ""
                }
            }
            if isPart {
                word.append(character)
            } else if !word.isEmpty {
                words.append(word)
                word = ""
            }
        }
        return (words + (word.isEmpty ? [] : [word])).map { $0.lowercased() }
    }

    /// The number in `4step`, `8-steps` and `12 Steps`; nil where none is said that is one of few.
    private static func steps(_ text: String) -> Int? {
        text.lowercased().matches(of: /([0-9]+)[ _-]?step/).lazy.compactMap { Int($0.1) }
            .first { (1...16).contains($0) }
    }
}
