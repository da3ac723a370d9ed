/// Words that stand by themselves, as Python's regular expressions find them with `\bWORD\b`.
///
/// Python looks at Unicode scalars: a letter with a combining mark behind it ends a word, and so does a full stop
/// between letters.
extension [Unicode.Scalar] {
    /// The places of a word of letters, in order.
    func places(ofWord word: String) -> [Range<Int>] {
        let word = Array(word.unicodeScalars)
        var places: [Range<Int>] = []
        var start = 0
        while start + word.count <= count {
            let end = start + word.count
            if self[start] == word[0], self[start..<end].elementsEqual(word),
                start == 0 || !self[start - 1].isOfWord, end == count || !self[end].isOfWord
            {
                places.append(start..<end)
                start = end
            } else {
                start += 1
            }
        }
        return places
    }
}

extension Unicode.Scalar {
    /// Python's `\w`: letters, numbers and the underscore.
    fileprivate var isOfWord: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .decimalNumber, .letterNumber, .otherNumber:
            true
        default: self == "_"
        }
    }

    /// Python's `\s`: white space, and the four control characters that separate parts of a text.
    var isSpace: Bool { isWhiteSpace(self) || (0x1C...0x1F).contains(value) }
}
