/// Why a tokenizer cannot be made from its files, or does not fit the text encoder.
public enum TokenizerError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where a merge is written: a line of `merges.txt`, counted from 1, or an element of `model.merges` in
    /// `tokenizer.json`, counted from 0.
    public enum MergePlace: Sendable, Hashable {
        case line(Int)
        case element(Int)
    }

    /// The folder has neither `tokenizer.json` nor both `vocab.json` and `merges.txt`.
    case noTokenizer(folder: String)
    /// The file describes something other than the byte-pair encoding of CLIP, or not in a known form.
    case unsupported(file: String, field: String, expected: String, actual: String)
    /// A token's id is negative, not a whole number, or more than 2^31 − 2.
    case invalidID(file: String, token: String, id: String)
    /// Two tokens have one id.
    case duplicateID(file: String, id: Int, first: String, second: String)
    /// One token has two ids.
    case conflictingID(file: String, token: String, id: Int, known: Int)
    /// No token has the id, although `count` tokens should have the ids 0 to `count` − 1.
    case missingID(file: String, id: Int, count: Int)
    /// A merge is not two texts separated by one space.
    case malformedMerge(file: String, place: MergePlace, text: String)
    /// A merge names a token, or results in one, that the vocabulary does not have.
    case unknownTokenInMerge(file: String, place: MergePlace, token: String)
    /// A token that the configuration names is not in the vocabulary; `role` is the key that names it.
    case missingToken(file: String, role: String, token: String)
    /// The tokenizer gives ids for which the text encoder has no embedding; and where both are from.
    case tooFewEmbeddings(tokens: Int, embeddings: Int, tokenizer: String = "", textEncoder: String = "")
    /// The tokenizer's length is more than the text encoder has positions for, or too short for a start, a token and an
    /// end.
    case unusableLength(length: Int, positions: Int)

    public var description: String {
        switch self {
        case .noTokenizer(let folder):
            "\(folder): expected tokenizer.json, or vocab.json with merges.txt; found neither"
        case .unsupported(let file, let field, let expected, let actual):
            "\(file): \(field) must be \(expected) for CLIP's byte-pair encoding, but is \(actual)"
        case .invalidID(let file, let token, let id):
            "\(file): the token \(quoted(token)) must have an id from 0 to \(Vocabulary.maximumCount - 1), "
                + "but has \(id)"
        case .duplicateID(let file, let id, let first, let second):
            "\(file): the tokens \(quoted(first)) and \(quoted(second)) both have the id \(id)"
        case .conflictingID(let file, let token, let id, let known):
            "\(file): the token \(quoted(token)) has the id \(id) here, but \(known) in the vocabulary"
        case .missingID(let file, let id, let count):
            "\(file): no token has the id \(id), although there are \(count) tokens, "
                + "whose ids must be 0 to \(count - 1)"
        case .malformedMerge(let file, let place, let text):
            "\(file), \(place): expected two tokens separated by one space, found \(quoted(text))"
        case .unknownTokenInMerge(let file, let place, let token):
            "\(file), \(place): the token \(quoted(token)) is not in the vocabulary; "
                + "the merges and the vocabulary must be of the same model"
        case .missingToken(let file, let role, let token):
            "\(file): \(role) is \(quoted(token)), which is not in the vocabulary"
        case .tooFewEmbeddings(let tokens, let embeddings, let tokenizer, let textEncoder):
            "the tokenizer\(tokenizer.isEmpty ? "" : " of " + tokenizer) has \(tokens) tokens, but the text encoder"
                + "\(textEncoder.isEmpty ? "" : " of " + textEncoder) has only \(embeddings) embeddings "
                + "(vocab_size); the two must be of the same model"
        case .unusableLength(let length, let positions):
            "the tokenizer's length is \(length) tokens, but it must be from 3 to the text encoder's "
                + "\(positions) positions (max_position_embeddings)"
        }
    }
}

extension TokenizerError.MergePlace: CustomStringConvertible {
    public var description: String {
        switch self {
        case .line(let line): "line \(line)"
        case .element(let index): "model.merges[\(index)]"
        }
    }
}

/// The text in double quotes, with control characters escaped, cut after 80 scalars.
private func quoted(_ text: String) -> String {
    let scalars = text.unicodeScalars
    let head = String(String.UnicodeScalarView(scalars.prefix(80)))
    return head.debugDescription + (scalars.count > 80 ? "…" : "")
}
