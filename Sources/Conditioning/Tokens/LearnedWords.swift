import Foundation

/// A word of prompts that stands for embeddings of its own, which the vocabulary does not have (textual inversion, Gal
/// et al. 2022, arXiv 2208.01618).
public struct LearnedWord: Sendable, Hashable {
    /// How it is written.
    public let name: String
    /// Its tokens: beyond the vocabulary, one for each embedding.
    public let ids: Range<Int32>

    public init(_ name: String, ids: Range<Int32>) {
        self.name = name
        self.ids = ids
    }
}

/// How learned words are found in a prompt.
public enum LearnedWordSyntax: Sendable, Hashable {
    /// As they are written, anywhere in the text: diffusers' rule.
    case text
    /// By the tokens of what they are written as, so that case and spaces are of no matter: AUTOMATIC1111's.
    case tokens
    /// Behind `embedding:`, up to the next white space: ComfyUI's.
    case prefix
}

/// The learned words of a tokenizer.
struct LearnedWords: Sendable {
    let syntax: LearnedWordSyntax
    private let words: [LearnedWord]
    private let added: AddedTokens
    /// The words by the first token of what they are written as, those of the most tokens first.
    private let spelled: [Int32: [(spelling: [Int32], word: LearnedWord)]]
    private let lengths: [Int32: Int]

    init(_ words: [LearnedWord], syntax: LearnedWordSyntax, spelling: (String) -> [Int32]) {
        self.words = words
        self.syntax = syntax
        lengths = Dictionary(words.map { ($0.ids.lowerBound, $0.ids.count) }, uniquingKeysWith: { $1 })
        added = AddedTokens(
            syntax == .text
                ? words.map { (content: $0.name, id: $0.ids.lowerBound, isNormalized: false) } : [])
        let spellings = syntax == .tokens ? words.map { (spelling: spelling($0.name), word: $0) } : []
        spelled = Dictionary(grouping: spellings.filter { !$0.spelling.isEmpty }) { $0.spelling[0] }
            .mapValues { $0.sorted { $0.spelling.count > $1.spelling.count } }
    }

    /// How many tokens a word has whose first token this is; nil where it is none's.
    func length(startingWith id: Int32) -> Int? { lengths[id] }

    /// The word whose first token this is.
    func name(startingWith id: Int32) -> String? { words.first { $0.ids.lowerBound == id }?.name }

    /// The tokens of a prompt.
    ///
    /// - Parameter encode: The tokens of a text without learned words.
    func encode(_ prompt: String, _ encode: (String) -> [Int32]) -> [Int32] {
        switch syntax {
        case .text: encodeParts(of: prompt, encode)
        case .tokens: replacingSpellings(in: encode(prompt))
        case .prefix: encodePrefixed(prompt, encode)
        }
    }

    private func encodeParts(of prompt: String, _ encode: (String) -> [Int32]) -> [Int32] {
        var ids: [Int32] = []
        added.forEachExactPart(of: prompt) { part in
            switch part {
            case .token(let id): ids += id..<(id + Int32(lengths[id] ?? 1))
            case .text(let text):
                var view = String.UnicodeScalarView()
                view.append(contentsOf: text)
                ids += encode(String(view))
            }
        }
        return ids
    }

    private func replacingSpellings(in ids: [Int32]) -> [Int32] {
        var result: [Int32] = []
        var position = 0
        while position < ids.count {
            let match = spelled[ids[position]]?.first { ids[position...].starts(with: $0.spelling) }
            if let match {
                result += match.word.ids
                position += match.spelling.count
            } else {
                result.append(ids[position])
                position += 1
            }
        }
        return result
    }

    private func encodePrefixed(_ prompt: String, _ encode: (String) -> [Int32]) -> [Int32] {
        var ids: [Int32] = []
        var rest = prompt[...]
        for (range, name) in Self.prefixedNames(in: prompt) {
            ids += encode(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
            ids += words.first { $0.name == name }.map { Array($0.ids) } ?? []
        }
        return ids + encode(String(rest))
    }

    /// The names behind `embedding:` and where they stand, commas behind them left out.
    static func prefixedNames(in prompt: String) -> [(range: Range<String.Index>, name: String)] {
        var found: [(range: Range<String.Index>, name: String)] = []
        var start = prompt.startIndex
        while let marker = prompt.range(of: "embedding:", range: start..<prompt.endIndex) {
            let word = prompt[marker.upperBound...].prefix { !$0.isWhitespace }
            let end = word.lastIndex { $0 != "," }.map(word.index(after:)) ?? word.startIndex
            let name = word[..<end]
            if !name.isEmpty { found.append((marker.lowerBound..<end, String(name))) }
            start = end
        }
        return found
    }
}

extension PromptSyntax {
    /// How learned words are found in prompts of this syntax.
    public var learnedWords: LearnedWordSyntax {
        switch self {
        case .a1111, .stableDiffusionCpp: .tokens
        case .comfyui: .prefix
        case .compel, .plain: .text
        }
    }

    /// The names of learned words that a prompt has to have, as it marks them; none where the syntax has no marks.
    public func markedWords(in prompt: String) -> [String] {
        guard learnedWords == .prefix else { return [] }
        // Weights may stand in the same brackets.
        return ComfyUISyntax.parse(prompt).flatMap { LearnedWords.prefixedNames(in: $0.text).map(\.name) }
    }
}
