import Checkpoints
import Foundation

extension CLIPTokenizer {
    /// Reads a model's `tokenizer` folder: `tokenizer.json` where it is there, else `vocab.json` with
    /// `merges.txt`, and what there is of ``CLIPTokenizerConfiguration/init(folder:)``'s files.
    ///
    /// - Throws: ``TokenizerError``; `FileError`, `JSONError` or `ConfigurationError` where a file cannot be
    ///   read, is not JSON or has a value of a wrong type.
    public init(folder: URL) throws {
        let configuration = try CLIPTokenizerConfiguration(folder: folder)
        let tokenizer = folder.appending(path: "tokenizer.json")
        let vocabulary = folder.appending(path: "vocab.json")
        let merges = folder.appending(path: "merges.txt")
        let exists = FileManager.default.fileExists(atPath:)
        if exists(tokenizer.path) {
            try self.init(tokenizerJSON: tokenizer, configuration: configuration)
        } else if exists(vocabulary.path) || exists(merges.path) {
            try self.init(vocabulary: vocabulary, merges: merges, configuration: configuration)
        } else {
            throw TokenizerError.noTokenizer(folder: folder.path)
        }
    }

    /// Reads the files that transformers wrote until version 4.
    ///
    /// - Parameters:
    ///   - vocabulary: `vocab.json`: an object of tokens and their ids.
    ///   - merges: `merges.txt`: two tokens a line, the first line's merge first; a line that begins with
    ///     `#version` is skipped.
    /// - Throws: As ``init(folder:)``.
    public init(
        vocabulary: URL, merges: URL, configuration: CLIPTokenizerConfiguration = CLIPTokenizerConfiguration()
    ) throws {
        let document = try JSONValue(contentsOf: vocabulary)
        guard case .object(let entries) = document else {
            throw TokenizerError.unsupported(
                file: vocabulary.path, field: "the document", expected: "an object of tokens and ids",
                actual: kind(of: document))
        }
        try self.init(
            entries: entries, file: vocabulary.path, merges: try MergesFile(merges), added: [],
            configuration: configuration)
    }

    /// Reads the file that transformers writes since version 5.
    ///
    /// - Parameter tokenizerJSON: `tokenizer.json`. It must describe CLIP's tokenizer: a byte-pair encoding,
    ///   its normalization, and its words.
    /// - Throws: As ``init(folder:)``.
    public init(
        tokenizerJSON: URL, configuration: CLIPTokenizerConfiguration = CLIPTokenizerConfiguration()
    ) throws {
        let document = try Configuration(contentsOf: tokenizerJSON)
        let model = try checkedModel(of: document)
        guard case .object(let entries)? = model.value("vocab") else {
            throw model.error("vocab", expected: "an object of tokens and ids")
        }
        guard case .array(let merges)? = model.value("merges") else {
            throw model.error("merges", expected: "a list of pairs of tokens")
        }
        let added = try (document.value("added_tokens")?.arrayValue ?? []).enumerated().map { index, value in
            guard case .object(let object) = value else {
                throw document.error("added_tokens", expected: "a list of objects")
            }
            let members = Configuration(object, path: "\(tokenizerJSON.path), added_tokens[\(index)]")
            let id = try members.integer("id", in: 0...Vocabulary.maximumCount - 1)
            return try CLIPTokenizerConfiguration.addedToken(members, id: id)
        }
        try self.init(
            entries: entries, file: tokenizerJSON.path,
            merges: MergesFile(elements: merges, file: tokenizerJSON.path), added: added,
            configuration: configuration)
    }

    /// CLIP's own tokenizer, for a model in a single file, which has none beside it.
    ///
    /// - Parameters:
    ///   - vocabulary: A `tokenizer` folder of another model, or OpenAI's file of merges, unpacked:
    ///     `bpe_simple_vocab_16e6.txt`.
    ///   - padsWithFirst: Whether prompts are filled up with the first token, as OpenCLIP's encoders have it, and not
    ///     with the end token.
    /// - Throws: As ``init(folder:)``.
    public init(vocabulary: URL, padsWithFirst: Bool) throws {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: vocabulary.path, isDirectory: &isFolder)
        let tokenizer =
            try isFolder.boolValue ? CLIPTokenizer(folder: vocabulary) : CLIPTokenizer(merges: vocabulary)
        self = tokenizer.padding(withFirst: padsWithFirst)
    }

    /// The same tokenizer, which fills prompts up with the first token, or else with the end token.
    public func padding(withFirst padsWithFirst: Bool) -> CLIPTokenizer {
        var tokenizer = self
        tokenizer.paddingToken = padsWithFirst ? 0 : endToken
        return tokenizer
    }

    /// Reads OpenAI's file of merges, from which the vocabulary follows: the characters that stand for bytes, the same at
    /// the end of a word, what each merge makes, and the two tokens around a prompt.
    ///
    /// Only as many merges count as the vocabulary has room for: `clip/simple_tokenizer.py`.
    private init(merges url: URL) throws {
        let configuration = CLIPTokenizerConfiguration()
        let (tokens, lines) = try Self.vocabularyOfMerges(url)
        let vocabulary = try Vocabulary(
            tokens.enumerated().map { (token: $1, id: $0) }, file: url.path)
        let roles = try TokenRoles(configuration, added: [], vocabulary: vocabulary)
        self.init(
            vocabulary: vocabulary,
            merges: try MergesFile(lines: Array(lines.joined(separator: [0x0A])), file: url.path)
                .merges(of: vocabulary),
            added: roles.addedTokens, start: roles.start, end: roles.end, padding: roles.padding,
            unknown: roles.unknown, length: configuration.length)
    }

    /// The tokens by their ids, and the lines of the merges that count.
    static func vocabularyOfMerges(_ url: URL) throws -> (tokens: [String], lines: [ArraySlice<UInt8>]) {
        let bytes = try [UInt8](contentsOf: url, limit: MergesFile.maximumByteCount)
        let symbols = ByteAlphabet.vocabularyOrder.map { String($0) }
        let room = 49_152 - symbols.count - 2
        let lines = bytes.split(separator: 0x0A).dropFirst().prefix(room)
        let merged = lines.map { String(decoding: $0.filter { $0 != 0x20 && $0 != 0x0D }, as: UTF8.self) }
        let configuration = CLIPTokenizerConfiguration()
        let ends = [configuration.start.content, configuration.end.content]
        return (symbols + symbols.map { $0 + Self.endOfWord } + merged + ends, Array(lines))
    }

    private init(
        entries: JSONObject, file: String, merges: MergesFile,
        added: [CLIPTokenizerConfiguration.AddedToken], configuration: CLIPTokenizerConfiguration
    ) throws {
        var tokens = try tokensAndIDs(entries, file: file)
        let added = configuration.addedTokens ?? added
        for token in added {
            guard let id = token.id else { continue }
            switch entries[token.content]?.numberValue?.integer {
            case nil: tokens.append((token.content, id))
            case id: break
            case let known?:
                throw TokenizerError.conflictingID(
                    file: configuration.file, token: token.content, id: id, known: known)
            }
        }
        let vocabulary = try Vocabulary(tokens, file: file)
        let roles = try TokenRoles(configuration, added: added, vocabulary: vocabulary)
        self.init(
            vocabulary: vocabulary, merges: try merges.merges(of: vocabulary), added: roles.addedTokens,
            start: roles.start, end: roles.end, padding: roles.padding, unknown: roles.unknown,
            length: configuration.length)
    }
}

private func tokensAndIDs(_ entries: JSONObject, file: String) throws(TokenizerError) -> [(
    token: String, id: Int
)] {
    var tokens: [(token: String, id: Int)] = []
    tokens.reserveCapacity(entries.count)
    for member in entries.members {
        guard let id = member.value.numberValue?.integer else {
            let written = member.value.numberValue?.text ?? kind(of: member.value)
            throw .invalidID(file: file, token: member.key, id: written)
        }
        tokens.append((member.key, id))
    }
    return tokens
}

/// The part of the model in `tokenizer.json`, where the file is of CLIP's tokenizer.
private func checkedModel(of document: Configuration) throws -> Configuration {
    func require(_ members: Configuration?, _ field: String, _ key: String, _ expected: JSONValue) throws {
        let actual = members?.value(key)
        guard actual != expected else { return }
        throw TokenizerError.unsupported(
            file: document.path, field: field + "." + key, expected: kind(of: expected),
            actual: actual.map(kind) ?? "missing")
    }
    let model = try document.object("model")
    try require(model, "model", "type", .string("BPE"))
    try require(model, "model", "end_of_word_suffix", .string(CLIPTokenizer.endOfWord))
    for (key, neutral) in [
        ("continuing_subword_prefix", JSONValue.string("")), ("byte_fallback", .bool(false)),
        ("ignore_merges", .bool(false)), ("dropout", .number(JSONNumber(0))),
    ] where model?.has(key) == true {
        try require(model, "model", key, neutral)
    }

    let normalizer = try document.object("normalizer")
    try require(normalizer, "normalizer", "type", .string("Sequence"))
    let normalizers = objects("normalizers", of: normalizer)
    for (index, type) in ["NFC", "Replace", "Lowercase"].enumerated() {
        let element = index < normalizers.count ? normalizers[index] : nil
        try require(element, "normalizer.normalizers[\(index)]", "type", .string(type))
    }
    try require(
        try normalizers[1].object("pattern"), "normalizer.normalizers[1].pattern", "Regex", .string("\\s+"))
    try require(normalizers[1], "normalizer.normalizers[1]", "content", .string(" "))

    let words = try document.object("pre_tokenizer")
    try require(words, "pre_tokenizer", "type", .string("Sequence"))
    let cutters = objects("pretokenizers", of: words)
    for (index, type) in ["Split", "ByteLevel"].enumerated() {
        let element = index < cutters.count ? cutters[index] : nil
        try require(element, "pre_tokenizer.pretokenizers[\(index)]", "type", .string(type))
    }
    let pattern = try cutters[0].object("pattern")
    let wordsPattern = #"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#
    if pattern?.value("Regex")?.stringValue != wordsPattern {
        try require(
            pattern, "pre_tokenizer.pretokenizers[0].pattern", "Regex",
            .string(#"<\|startoftext\|>|<\|endoftext\|>|"# + wordsPattern))
    }
    try require(cutters[0], "pre_tokenizer.pretokenizers[0]", "behavior", .string("Removed"))
    try require(cutters[0], "pre_tokenizer.pretokenizers[0]", "invert", .bool(true))
    try require(cutters[1], "pre_tokenizer.pretokenizers[1]", "add_prefix_space", .bool(false))
    return model!
}

private func objects(_ key: String, of members: Configuration?) -> [Configuration] {
    (members?.value(key)?.arrayValue ?? []).compactMap { value in
        value.objectValue.map { Configuration($0, path: members?.path ?? "") }
    }
}

private func kind(of value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let number): number.text
    case .string(let text): "\"" + text.prefix(120) + "\""
    case .array(let values): "a list of \(values.count)"
    case .object(let object): "an object of \(object.count)"
    }
}
