/// Cuts normalized text into the words that are encoded one by one.
///
/// A word is an English contraction's end (`'s`, `'t`, `'re`, `'ve`, `'m`, `'ll`, `'d`), a run of letters, one
/// number, or a run of anything else but white space, which separates words and is left out. This is CLIP's
/// pattern, `<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`,
/// followed by GPT-2's: the latter cuts the names of the two special tokens, where they are not taken for
/// tokens, behind `<|` and before `|>`.
struct WordScanner {
    private enum Class { case letter, number, whiteSpace, other }

    private let scalars: ArraySlice<Unicode.Scalar>
    private var position: Int
    /// Where the name of a special token has begun, the places at which it is still to be cut.
    private var pending: [Int] = []

    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map {
        Array($0.unicodeScalars)
    }
    private static let specialNames = ["<|startoftext|>", "<|endoftext|>"].map { Array($0.unicodeScalars) }

    init(_ scalars: ArraySlice<Unicode.Scalar>) {
        self.scalars = scalars
        position = scalars.startIndex
    }

    /// The next word, or nil at the end.
    mutating func next() -> ArraySlice<Unicode.Scalar>? {
        if let end = pending.popLast() { return word(to: end) }
        while position < scalars.endIndex, Self.class(of: scalars[position]) == .whiteSpace { position += 1 }
        guard position < scalars.endIndex else { return nil }
        if let name = Self.specialNames.first(where: isNext) {
            let end = position + name.count
            pending = [end, end - 2]
            return word(to: position + 2)
        }
        if let contraction = Self.contractions.first(where: isNext) {
            return word(to: position + contraction.count)
        }
        let kind = Self.class(of: scalars[position])
        var end = position + 1
        while kind != .number, end < scalars.endIndex, Self.class(of: scalars[end]) == kind { end += 1 }
        return word(to: end)
    }

    private mutating func word(to end: Int) -> ArraySlice<Unicode.Scalar> {
        defer { position = end }
        return scalars[position..<end]
    }

    private func isNext(_ text: [Unicode.Scalar]) -> Bool { scalars[position...].starts(with: text) }

    private static func `class`(of scalar: Unicode.Scalar) -> Class {
        if scalar.isASCII {
            switch scalar {
            case "a"..."z", "A"..."Z": return .letter
            case "0"..."9": return .number
            default: return isWhiteSpace(scalar) ? .whiteSpace : .other
            }
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            return isInUnicode16(scalar) ? .letter : .other
        case .decimalNumber, .letterNumber, .otherNumber:
            return isInUnicode16(scalar) ? .number : .other
        default: return isWhiteSpace(scalar) ? .whiteSpace : .other
        }
    }

    /// Whether the tables of transformers 5 know the scalar. A prompt must not change its tokens with the
    /// system's version of Unicode, so that later letters are what they were: symbols.
    private static func isInUnicode16(_ scalar: Unicode.Scalar) -> Bool {
        guard let age = scalar.properties.age else { return false }
        return age.major <= 16
    }
}
