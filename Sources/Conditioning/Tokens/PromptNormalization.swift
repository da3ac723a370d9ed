import Foundation

/// Text as CLIP's vocabulary has it: composed (NFC), each run of white space one space, lowercase.
///
/// Lowercase is each scalar's own mapping without regard to its neighbours: a final Σ becomes σ, not ς, and İ
/// becomes an i and a combining dot, which are not composed again.
func normalizedForCLIP(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    for scalar in composed(text) {
        if isWhiteSpace(scalar) {
            if result.last != " " { result.append(" ") }
        } else if scalar.isASCII {
            let isUppercase = ("A"..."Z").contains(scalar)
            result.append(isUppercase ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar)
        } else {
            result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
        }
    }
    return result
}

private func composed(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    // Below U+0300, the first combining mark, nothing composes and nothing decomposes for good.
    if text.allSatisfy({ $0.value < 0x300 }) { return Array(text) }
    let string = String(String.UnicodeScalarView(withOrderedMarks(text)))
    // Decomposed first: composing alone leaves a Hangul syllable and a final consonant behind it apart.
    return Array(
        string.decomposedStringWithCanonicalMapping.precomposedStringWithCanonicalMapping.unicodeScalars)
}

/// An equivalent text whose runs of combining marks are in canonical order already: ordering them while they
/// are decomposed takes time quadratic in a run's length.
private func withOrderedMarks(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var marks: [(order: UInt8, scalar: Unicode.Scalar)] = []
    func appendMarks() {
        if marks.count > 1 {
            marks = marks.enumerated()
                .sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }.map(\.element)
        }
        result.append(contentsOf: marks.lazy.map(\.scalar))
        marks.removeAll(keepingCapacity: true)
    }
    for scalar in text {
        // The only starters that decompose to marks alone.
        let parts: [Unicode.Scalar]
        switch scalar {
        case "\u{F73}": parts = ["\u{F71}", "\u{F72}"]
        case "\u{F75}": parts = ["\u{F71}", "\u{F74}"]
        case "\u{F81}": parts = ["\u{F71}", "\u{F80}"]
        default:
            let order = scalar.value < 0x300 ? 0 : scalar.properties.canonicalCombiningClass.rawValue
            if order == 0 {
                appendMarks()
                result.append(scalar)
            } else {
                marks.append((order, scalar))
            }
            continue
        }
        marks += parts.map { ($0.properties.canonicalCombiningClass.rawValue, $0) }
    }
    appendMarks()
    return result
}

/// Unicode's White_Space: U+200B, the zero width space, is not of it.
func isWhiteSpace(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20, 0x09...0x0D: true
    case ..<0x85: false
    default: scalar.properties.isWhitespace
    }
}
