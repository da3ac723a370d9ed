import Foundation

/// CLIP's tokenizer: from a prompt to the ids whose embeddings the text encoder looks up.
///
/// A byte-pair encoding over bytes, with a vocabulary in which a word's last symbol ends in `</w>` (Radford et
/// al. 2021, arXiv 2103.00020, section 2.4). The ids are those of `CLIPTokenizer` in transformers 5.
///
/// A `String` is always well-formed Unicode, so that there is an id for every prompt. Where bytes that are not
/// (from a terminal, from a request) become a `String`, each ill-formed part becomes U+FFFD, which has tokens
/// like any other character.
public struct CLIPTokenizer: Sendable {
    /// The token before each prompt.
    public let startToken: Int32
    /// The token behind each prompt, at whose position the pooled embedding is read.
    public let endToken: Int32
    /// The token that fills up to the length: the end token in Stable Diffusion 1, `!` (0) in Stable Diffusion 2.
    public internal(set) var paddingToken: Int32
    /// How many ids ``tokenize(_:length:)`` gives unless told otherwise: 77 where the files don't say.
    public let length: Int

    private let vocabulary: Vocabulary
    private let merges: BytePairMerges
    private let addedTokens: AddedTokens
    /// The token of each byte within a word, and of each byte that ends one.
    private let innerSymbols: [Int32]
    private let finalSymbols: [Int32]
    private var learned: LearnedWords?

    /// How many tokens the vocabulary has; their ids are less than this.
    public var tokenCount: Int { vocabulary.count }

    init(
        vocabulary: Vocabulary, merges: BytePairMerges,
        added: [(content: String, id: Int32, isNormalized: Bool)],
        start: Int32, end: Int32, padding: Int32, unknown: Int32, length: Int
    ) {
        self.vocabulary = vocabulary
        self.merges = merges
        self.length = length
        addedTokens = AddedTokens(added)
        startToken = start
        endToken = end
        paddingToken = padding
        innerSymbols = ByteAlphabet.scalars.map { vocabulary.id(of: String($0)) ?? unknown }
        finalSymbols = ByteAlphabet.scalars.map {
            vocabulary.id(of: String($0) + Self.endOfWord) ?? unknown
        }
    }

    /// What the last symbol of each word ends in.
    static let endOfWord = "</w>"

    /// The tokenizer with words beside its vocabulary.
    public func learning(_ words: [LearnedWord], syntax: LearnedWordSyntax) -> CLIPTokenizer {
        var tokenizer = self
        tokenizer.learned =
            words.isEmpty && syntax != .prefix
            ? nil : LearnedWords(words, syntax: syntax, spelling: encodeVocabulary)
        return tokenizer
    }

    /// How many tokens a learned word has whose first token this is; nil where it is none's.
    func learnedLength(startingWith id: Int32) -> Int? { learned?.length(startingWith: id) }

    /// The tokens of a prompt of any length, without start, end and padding.
    public func encode(_ prompt: String) -> [Int32] {
        learned?.encode(prompt, encodeVocabulary) ?? encodeVocabulary(prompt)
    }

    private func encodeVocabulary(_ prompt: String) -> [Int32] {
        var ids: [Int32] = []
        addedTokens.forEachPart(of: prompt) { part in
            switch part {
            case .token(let id): ids.append(id)
            case .text(let text):
                var words = WordScanner(text)
                while let word = words.next() { ids.append(contentsOf: merges.encode(symbols(of: word))) }
            }
        }
        return ids
    }

    /// The tokens of a prompt as one input of the text encoder; what is too long is cut off at the end.
    ///
    /// - Parameter length: How many ids the text encoder takes, at least 2: its `max_position_embeddings`.
    ///   Nil: ``length``.
    public func tokenize(_ prompt: String, length: Int? = nil) -> PromptTokens {
        let length = length ?? self.length
        precondition(length >= 2, "a prompt needs a start and an end token")
        let prompt = encode(prompt)
        let cut = Array(prompt.dropFirst(length - 2))
        return PromptTokens(
            ids: framed(prompt.prefix(length - 2), length: length),
            promptCount: min(prompt.count, length - 2), cutIDs: cut, cutText: decode(cut))
    }

    /// A piece of a prompt with a start token before it, an end token behind it and padding up to `length`.
    ///
    /// - Parameter tokens: At most `length` − 2.
    public func framed(_ tokens: ArraySlice<Int32>, length: Int) -> [Int32] {
        precondition(tokens.count <= length - 2, "\(tokens.count) tokens and two more are over \(length)")
        let padding = repeatElement(paddingToken, count: length - 2 - tokens.count)
        return [startToken] + tokens + [endToken] + padding
    }

    /// The text of tokens: lowercase, with a space behind each word. Ids that no token has are left out; bytes
    /// that are not UTF-8, as where a character's tokens were cut apart, become U+FFFD.
    public func decode(_ ids: some Sequence<Int32>) -> String {
        var bytes: [UInt8] = []
        for id in ids {
            if vocabulary.tokens.indices.contains(Int(id)) {
                bytes.append(contentsOf: ByteAlphabet.bytes(of: vocabulary.tokens[Int(id)]))
            } else if let name = learned?.name(startingWith: id) {
                bytes.append(contentsOf: Array((name + " ").utf8))
            }
        }
        return trimmed(String(decoding: withSpacesForWordEnds(bytes), as: UTF8.self))
    }

    /// A token as the vocabulary writes it.
    func token(of id: Int) -> String { vocabulary.tokens[id] }

    /// Whether a word ends with the token.
    func endsWord(_ id: Int32) -> Bool {
        vocabulary.tokens.indices.contains(Int(id)) && vocabulary.tokens[Int(id)].hasSuffix(Self.endOfWord)
    }

    /// Checks that the text encoder has an embedding for each token and a position for each of ``length``.
    ///
    /// - Parameters:
    ///   - embeddings: The rows of the token embedding: the text encoder's `vocab_size`.
    ///   - positions: The rows of the position embedding: its `max_position_embeddings`.
    ///   - source: The tokenizer's file or folder, for messages.
    ///   - textEncoder: That of the text encoder's weights.
    /// - Throws: ``TokenizerError/tooFewEmbeddings(tokens:embeddings:tokenizer:textEncoder:)``,
    ///   ``TokenizerError/unusableLength(length:positions:)``.
    public func check(embeddings: Int, positions: Int, source: String = "", textEncoder: String = "")
        throws(TokenizerError)
    {
        guard tokenCount <= embeddings else {
            throw .tooFewEmbeddings(
                tokens: tokenCount, embeddings: embeddings, tokenizer: source, textEncoder: textEncoder)
        }
        guard length >= 3, length <= positions else {
            throw .unusableLength(length: length, positions: positions)
        }
    }

    private func symbols(of word: ArraySlice<Unicode.Scalar>) -> [Int32] {
        let bytes = word.flatMap { UTF8.encode($0)! }
        var symbols = bytes.map { innerSymbols[Int($0)] }
        if let last = bytes.last { symbols[symbols.count - 1] = finalSymbols[Int(last)] }
        return symbols
    }

    private func withSpacesForWordEnds(_ bytes: [UInt8]) -> [UInt8] {
        let endOfWord = Array(Self.endOfWord.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == endOfWord[0], bytes[index...].starts(with: endOfWord) {
                result.append(UInt8(ascii: " "))
                index += endOfWord.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }

    /// Without what Python's `strip` takes from both ends: white space and U+001C to U+001F.
    private func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        func isKept(_ scalar: Unicode.Scalar) -> Bool {
            !isWhiteSpace(scalar) && !(0x1C...0x1F).contains(scalar.value)
        }
        guard let first = scalars.firstIndex(where: isKept), let last = scalars.lastIndex(where: isKept)
        else { return "" }
        return String(scalars[first...last])
    }
}
