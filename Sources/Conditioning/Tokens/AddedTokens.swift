/// The tokens that are found in a prompt as they are written, before it is cut into words.
///
/// Some are looked for in the text itself, the others in the normalized text, where case is of no matter. A
/// prompt that has `<|endoftext|>` in it has that token there, as in transformers.
struct AddedTokens: Sendable {
    private let exact: TokenMatcher
    private let normalized: TokenMatcher

    init(_ tokens: [(content: String, id: Int32, isNormalized: Bool)]) {
        exact = TokenMatcher(
            tokens.filter { !$0.isNormalized }.map { (Array($0.content.unicodeScalars), $0.id) })
        normalized = TokenMatcher(
            tokens.filter(\.isNormalized).map { token in
                (normalizedForCLIP(Array(token.content.unicodeScalars)[...]), token.id)
            })
    }

    /// A part of a prompt: a token, or text without any.
    enum Part {
        case token(Int32)
        case text(ArraySlice<Unicode.Scalar>)
    }

    /// Cuts a prompt at the tokens that are looked for in the text itself, and leaves the rest as it is.
    func forEachExactPart(of prompt: String, _ body: (Part) -> Void) {
        exact.forEachPart(of: Array(prompt.unicodeScalars)[...], body)
    }

    /// Cuts a prompt at its added tokens.
    func forEachPart(of prompt: String, _ body: (Part) -> Void) {
        exact.forEachPart(of: Array(prompt.unicodeScalars)[...]) { part in
            switch part {
            case .token: body(part)
            case .text(let text): normalized.forEachPart(of: normalizedForCLIP(text)[...], body)
            }
        }
    }
}

/// Finds tokens in a text: the leftmost first, and of several at one place the longest.
private struct TokenMatcher: Sendable {
    private typealias Candidate = (content: [Unicode.Scalar], id: Int32)

    /// The tokens by their first scalars, the longest first.
    private let candidates: [Unicode.Scalar: [Candidate]]

    init(_ tokens: [(content: [Unicode.Scalar], id: Int32)]) {
        candidates = Dictionary(grouping: tokens.filter { !$0.content.isEmpty }) { $0.content[0] }
            .mapValues { $0.sorted { $0.content.count > $1.content.count } }
    }

    func forEachPart(of text: ArraySlice<Unicode.Scalar>, _ body: (AddedTokens.Part) -> Void) {
        var start = text.startIndex
        var position = start
        while position < text.endIndex {
            guard
                let token = candidates[text[position]]?.first(where: {
                    text[position...].starts(with: $0.content)
                })
            else {
                position += 1
                continue
            }
            if start < position { body(.text(text[start..<position])) }
            body(.token(token.id))
            position += token.content.count
            start = position
        }
        if start < text.endIndex { body(.text(text[start...])) }
    }
}
