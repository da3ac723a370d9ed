/// Text as CLIP's vocabulary has it: composed (NFC), each run of white space one space, lowercase.
///
/// Lowercase is each scalar's own mapping without regard to its neighbours: a final Σ becomes σ, not ς, and İ
/// becomes an i and a combining dot, which are not composed again.
func normalizedForCLIP(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    for scalar in canonicallyComposed(text) {
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

/// Unicode's White_Space: U+200B, the zero width space, is not of it.
func isWhiteSpace(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20, 0x09...0x0D: true
    case ..<0x85: false
    default: scalar.properties.isWhitespace
    }
}
