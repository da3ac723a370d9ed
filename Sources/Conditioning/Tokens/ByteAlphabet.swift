/// The characters that vocabularies write for bytes (GPT-2's `bytes_to_unicode`).
///
/// A byte that Latin-1 prints stands for itself; the others, in ascending order, are U+0100, U+0101, ….
enum ByteAlphabet {
    /// The character of each byte.
    static let scalars: [Unicode.Scalar] = {
        var next: UInt8 = 0
        return (UInt8.min...UInt8.max).map { byte in
            if isPrinted(byte) { return Unicode.Scalar(byte) }
            defer { next += 1 }
            return Unicode.Scalar(UInt16(0x100) + UInt16(next))!
        }
    }()

    /// The characters in the order of CLIP's vocabulary: those that stand for themselves come first.
    static let vocabularyOrder: [Unicode.Scalar] = {
        let all = UInt8.min...UInt8.max
        return (all.filter(isPrinted) + all.filter { !isPrinted($0) }).map { scalars[Int($0)] }
    }()

    private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
        uniqueKeysWithValues: zip(scalars, UInt8.min...UInt8.max))

    /// The bytes that a token's text stands for; a text with any other character stands for its own UTF-8.
    static func bytes(of token: String) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(token.utf8.count)
        for scalar in token.unicodeScalars {
            guard let byte = bytes[scalar] else { return Array(token.utf8) }
            result.append(byte)
        }
        return result
    }

    private static func isPrinted(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: true
        default: false
        }
    }
}
