import Foundation

/// Unicode's normalization form C (UAX #15) of a text, as the tables of Unicode 9 have it.
///
/// Those are transformers': a combining mark of a later version stays where it is. The system's own
/// composition is not used: it changes with the system, and Swift 6's leaves a Hangul syllable and a final
/// consonant apart, composes scalars beyond U+FFFF as if they were others, and takes time quadratic in the
/// number of marks on one letter.
func canonicallyComposed(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    // Below U+0300, the first combining mark, nothing composes and nothing decomposes for good.
    if text.allSatisfy({ $0.value < 0x300 }) { return Array(text) }
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    // The place of the last starter, and the order of what was appended last.
    var starter: Int?
    var lastOrder: UInt8 = 0
    for (order, scalar) in canonicallyDecomposed(text) {
        if let starter, starter == result.count - 1 || lastOrder < order,
            let composite = composite(of: result[starter], scalar)
        {
            result[starter] = composite
            continue
        }
        if order == 0 { starter = result.count }
        lastOrder = order
        result.append(scalar)
    }
    return result
}

/// The text in normalization form D, each scalar with its combining class; 0 is a starter's.
private func canonicallyDecomposed(_ text: ArraySlice<Unicode.Scalar>) -> [(UInt8, Unicode.Scalar)] {
    var result: [(order: UInt8, scalar: Unicode.Scalar)] = []
    result.reserveCapacity(text.count)
    var firstMark = 0
    func sortMarks() {
        guard result.count - firstMark > 1 else { return }
        let marks = result[firstMark...].enumerated()
            .sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }
        result.replaceSubrange(firstMark..., with: marks.map(\.element))
    }
    func append(_ scalar: Unicode.Scalar) {
        let order = combiningClass(of: scalar)
        if order == 0 { sortMarks() }
        result.append((order, scalar))
        if order == 0 { firstMark = result.count }
    }
    for scalar in text {
        if let syllable = HangulSyllable(scalar) {
            syllable.letters.forEach(append)
        } else if scalar.value >= 0xC0, let parts = CanonicalTables.decompositions[scalar] {
            parts.forEach(append)
        } else {
            append(scalar)
        }
    }
    sortMarks()
    return result
}

private func composite(of first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
    if second.value < 0x300 { return nil }
    return HangulSyllable.composite(of: first, second)
        ?? CanonicalTables.composites[CanonicalTables.Pair(first: first, second: second)]
}

private func combiningClass(of scalar: Unicode.Scalar) -> UInt8 {
    guard scalar.value >= 0x300 else { return 0 }
    let order = scalar.properties.canonicalCombiningClass.rawValue
    return order > 0 && CanonicalTables.isInUnicode9(scalar) ? order : 0
}

/// A syllable of the Hangul block, whose decomposition is arithmetic (the Unicode Standard, section 3.12).
private struct HangulSyllable {
    private static let base: UInt32 = 0xAC00
    private static let (leads, vowels, tails): (UInt32, UInt32, UInt32) = (0x1100, 0x1161, 0x11A7)
    private static let (leadCount, vowelCount, tailCount): (UInt32, UInt32, UInt32) = (19, 21, 28)

    let letters: [Unicode.Scalar]

    init?(_ scalar: Unicode.Scalar) {
        guard scalar.value >= Self.base, scalar.value <= 0xD7A3 else { return nil }
        let (vowelIndex, tail) = (scalar.value - Self.base).quotientAndRemainder(dividingBy: Self.tailCount)
        let (lead, vowel) = vowelIndex.quotientAndRemainder(dividingBy: Self.vowelCount)
        let values = [Self.leads + lead, Self.vowels + vowel] + (tail == 0 ? [] : [Self.tails + tail])
        letters = values.compactMap(Unicode.Scalar.init)
    }

    static func composite(of first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
        if (leads..<leads + leadCount).contains(first.value),
            (vowels..<vowels + vowelCount).contains(second.value)
        {
            let syllable = (first.value - leads) * vowelCount + second.value - vowels
            return Unicode.Scalar(base + syllable * tailCount)
        }
        guard first.value >= base, first.value <= 0xD7A3, (first.value - base) % tailCount == 0,
            (tails + 1..<tails + tailCount).contains(second.value)
        else { return nil }
        return Unicode.Scalar(first.value + second.value - tails)
    }
}

private enum CanonicalTables {
    struct Pair: Hashable {
        let first: Unicode.Scalar
        let second: Unicode.Scalar
    }

    /// The blocks, other than Hangul, with scalars that decompose.
    private static let blocks: [ClosedRange<UInt32>] = [
        0xC0...0x2FF, 0x340...0x1FFF, 0x2000...0x22FF, 0x2329...0x232A, 0x2ADC...0x2ADC, 0x3040...0x30FF,
        0xF900...0xFB4F, 0x11080...0x115FF, 0x1D15E...0x1D1C0, 0x2F800...0x2FA1D,
    ]

    /// What each scalar decomposes to in full.
    static let decompositions: [Unicode.Scalar: [Unicode.Scalar]] = {
        var result: [Unicode.Scalar: [Unicode.Scalar]] = [:]
        for scalar in blocks.joined().compactMap(Unicode.Scalar.init) where isInUnicode9(scalar) {
            let parts = Array(String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars)
            if parts != [scalar] { result[scalar] = parts }
        }
        return result
    }()

    /// The scalar that two compose to. The second of the two is the last scalar of the full decomposition, and
    /// the first is what the others compose to.
    static let composites: [Pair: Unicode.Scalar] = {
        var result: [Pair: Unicode.Scalar] = [:]
        let candidates = decompositions.filter {
            $0.value.count > 1 && !$0.key.properties.isFullCompositionExclusion
        }
        for (scalar, parts) in candidates.sorted(by: { $0.value.count < $1.value.count }) {
            let first = parts[1..<parts.count - 1].reduce(parts[0]) { first, second in
                result[Pair(first: first, second: second)] ?? first
            }
            result[Pair(first: first, second: parts[parts.count - 1])] = scalar
        }
        return result
    }()

    static func isInUnicode9(_ scalar: Unicode.Scalar) -> Bool {
        guard let age = scalar.properties.age else { return false }
        return age.major <= 9
    }
}
