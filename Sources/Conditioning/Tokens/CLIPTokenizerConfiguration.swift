import Checkpoints
import Foundation

/// What a tokenizer's folder says beside its vocabulary and merges: which tokens have which part.
public struct CLIPTokenizerConfiguration: Sendable, Hashable {
    /// A token that is found in prompts as it is written.
    public struct AddedToken: Sendable, Hashable {
        public let content: String
        /// The token's id, where the file gives it; else it is the vocabulary's.
        public let id: Int?
        /// Whether it is looked for in the normalized text, where case is of no matter.
        public let isNormalized: Bool

        public init(content: String, id: Int? = nil, isNormalized: Bool) {
            self.content = content
            self.id = id
            self.isNormalized = isNormalized
        }
    }

    /// A token with a part, as a file names it: by its text alone, or with how it is to be looked for.
    public struct NamedToken: Sendable, Hashable {
        public let content: String
        /// Nil where the file has only the text.
        public let isNormalized: Bool?

        public init(_ content: String, isNormalized: Bool? = nil) {
            self.content = content
            self.isNormalized = isNormalized
        }
    }

    public var start = NamedToken("<|startoftext|>")
    public var end = NamedToken("<|endoftext|>")
    public var padding = NamedToken("<|endoftext|>")
    /// What stands for a byte that the vocabulary does not have.
    public var unknown = NamedToken("<|endoftext|>")
    /// Tokens that have no part, but are found in prompts as they are written.
    public var additional: [NamedToken] = []
    /// The added tokens with their ids; nil where the files leave them to `tokenizer.json`.
    public var addedTokens: [AddedToken]?
    /// The model's number of tokens for one prompt, with start and end.
    public var length = 77
    /// The file that errors on these values name.
    public var file = "the tokenizer's configuration"

    /// OpenAI's tokenizer, which is Stable Diffusion 1's.
    public init() {}

    /// Reads what there is of `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json`.
    ///
    /// As in transformers 5, the second overrides the first, and neither it nor the third counts where the
    /// first has `added_tokens_decoder`.
    ///
    /// - Throws: ``TokenizerError``, and `FileError`, `JSONError` or `ConfigurationError` on a file that is
    ///   there but cannot be read.
    public init(folder: URL) throws {
        let configurationURL = folder.appending(path: "tokenizer_config.json")
        if let members = try Self.configuration(at: configurationURL) {
            try readNames(members)
            for (key, side) in [("padding_side", "right"), ("truncation_side", "right")] {
                guard try members.string(key, default: side) == side else {
                    throw members.error(key, expected: "\"\(side)\"")
                }
            }
            if let number = members.value("model_max_length")?.numberValue, number.integer != nil {
                // A start, an end and one token between them.
                length = try members.integer("model_max_length", in: 3...1_000_000)
            }
            addedTokens = try Self.addedTokensDecoder(members)
        }
        guard addedTokens == nil else { return }
        if let members = try Self.configuration(at: folder.appending(path: "special_tokens_map.json")) {
            try readNames(members)
        }
        if let members = try Self.configuration(at: folder.appending(path: "added_tokens.json")) {
            let named = Set(([start, end, unknown, padding] + additional).map { Array($0.content.utf8) })
            addedTokens = try members.members.keys.map { content in
                AddedToken(
                    content: content, id: try members.integer(content, in: 0...Vocabulary.maximumCount - 1),
                    isNormalized: !named.contains(Array(content.utf8)))
            }
        }
    }

    private mutating func readNames(_ members: Configuration) throws {
        file = members.path
        start = try Self.token("bos_token", members) ?? start
        end = try Self.token("eos_token", members) ?? end
        padding = try Self.token("pad_token", members) ?? padding
        unknown = try Self.token("unk_token", members) ?? unknown
        for key in ["additional_special_tokens", "extra_special_tokens"] {
            guard let values = members.value(key)?.arrayValue else { continue }
            additional = try values.enumerated().map { index, value in
                try Self.token(value, "\(key)[\(index)]", members)
            }
        }
    }

    private static func configuration(at url: URL) throws -> Configuration? {
        do {
            return try Configuration(contentsOf: url)
        } catch FileError.missing {
            return nil
        }
    }

    private static func token(_ key: String, _ members: Configuration) throws -> NamedToken? {
        guard let value = members.value(key) else { return nil }
        return try token(value, key, members)
    }

    private static func token(_ value: JSONValue, _ key: String, _ members: Configuration) throws
        -> NamedToken
    {
        if let content = value.stringValue { return NamedToken(content) }
        guard let object = value.objectValue else {
            throw members.error(key, expected: "a token's text, or an object with its content")
        }
        let token = try addedToken(Configuration(object, path: members.path), defaultNormalized: true)
        return NamedToken(token.content, isNormalized: token.isNormalized)
    }

    private static func addedTokensDecoder(_ members: Configuration) throws -> [AddedToken]? {
        guard let decoder = try members.object("added_tokens_decoder") else { return nil }
        return try decoder.members.keys.map { key in
            guard let id = Int(key), (0..<Vocabulary.maximumCount).contains(id),
                let object = try decoder.object(key)
            else {
                throw decoder.error(key, expected: "an object whose key is a token's id")
            }
            return try addedToken(object, id: id)
        }.sorted { $0.id! < $1.id! }
    }

    /// A token as an object describes it. White space beside it (`lstrip`, `rstrip`) is never of any matter,
    /// since it has no tokens.
    static func addedToken(
        _ members: Configuration, id: Int? = nil, defaultNormalized: Bool? = nil
    ) throws -> AddedToken {
        guard try !members.bool("single_word", default: false) else {
            throw members.error("single_word", expected: "false")
        }
        let isSpecial = try members.bool("special", default: false)
        return AddedToken(
            content: try members.string("content"), id: id,
            isNormalized: try members.bool("normalized", default: defaultNormalized ?? !isSpecial))
    }
}
