/// A header's value and its parameters: `value; name=token; name="quoted string"` (RFC 9110, section 5.6.6).
package struct HeaderParameters: Sendable, Hashable {
    /// What is before the first semicolon, in small letters.
    package let value: String
    /// Names, in small letters, and what they stand for, in order.
    package let parameters: [(name: String, value: String)]

    /// - Parameter bytes: What follows a header's name and colon. What is not UTF-8 in it is replaced.
    /// - Returns: Nil where a quoted string has no end or is followed by more, where a parameter has no value, and where
    ///   there is a control character.
    package init?(_ bytes: some Sequence<UInt8>) {
        var reader = Reader(bytes: Array(bytes))
        guard let value = reader.token() else { return nil }
        var parameters: [(name: String, value: String)] = []
        while reader.takeSemicolon() {
            guard let name = reader.token(endsAtEquals: true) else { return nil }
            // Nothing between two semicolons, or after the last.
            if name.isEmpty, !reader.isAtEquals { continue }
            guard !name.isEmpty, reader.takeEquals(), let value = reader.value() else { return nil }
            parameters.append((name.lowercased(), value))
        }
        guard reader.isAtEnd else { return nil }
        self.value = value.lowercased()
        self.parameters = parameters
    }

    /// - Parameter name: In small letters.
    /// - Returns: What the first parameter of the name stands for; nil where there is none.
    package subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    package static func == (left: Self, right: Self) -> Bool {
        left.value == right.value && left.parameters.elementsEqual(right.parameters, by: ==)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(value)
        for (name, value) in parameters {
            hasher.combine(name)
            hasher.combine(value)
        }
    }
}

/// Goes through a header once.
private struct Reader {
    let bytes: [UInt8]
    var place = 0

    var isAtEnd: Bool { place == bytes.count }
    var isAtEquals: Bool { !isAtEnd && bytes[place] == UInt8(ascii: "=") }

    mutating func takeSemicolon() -> Bool { take(UInt8(ascii: ";")) }
    mutating func takeEquals() -> Bool { take(UInt8(ascii: "=")) }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard !isAtEnd, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    /// What is before the next semicolon, and before the next equals sign where it ends there, without spaces around it;
    /// nil where a quotation mark or a control character is in it.
    mutating func token(endsAtEquals: Bool = false) -> String? {
        skipSpaces()
        let start = place
        var end = place
        while !isAtEnd, bytes[place] != UInt8(ascii: ";"), !(endsAtEquals && isAtEquals) {
            let byte = bytes[place]
            guard byte != UInt8(ascii: "\""), Self.isText(byte) else { return nil }
            place += 1
            if !Self.isSpace(byte) { end = place }
        }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// A token that is not empty, or a quoted string.
    mutating func value() -> String? {
        skipSpaces()
        guard take(UInt8(ascii: "\"")) else { return token().flatMap { $0.isEmpty ? nil : $0 } }
        var value: [UInt8] = []
        while !isAtEnd {
            var byte = bytes[place]
            place += 1
            if byte == UInt8(ascii: "\"") {
                skipSpaces()
                guard isAtEnd || bytes[place] == UInt8(ascii: ";") else { return nil }
                return String(decoding: value, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\\") {
                guard !isAtEnd else { return nil }
                byte = bytes[place]
                place += 1
            }
            guard Self.isText(byte) else { return nil }
            value.append(byte)
        }
        return nil
    }

    private mutating func skipSpaces() {
        while !isAtEnd, Self.isSpace(bytes[place]) { place += 1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    private static func isText(_ byte: UInt8) -> Bool { byte == 0x09 || (byte >= 0x20 && byte != 0x7F) }
}
