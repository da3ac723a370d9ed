import Foundation

/// Reads JSON from bytes, piece by piece: the one grammar behind ``JSONValue`` and the safetensors header.
///
/// Holds a pointer to the bytes: not to be kept longer than they.
struct JSONScanner {
    private let bytes: UnsafeRawBufferPointer
    private let file: String
    private let dialect: JSONValue.Dialect
    private(set) var offset = 0
    /// Where the latest key began.
    private(set) var keyOffset = 0
    private var depth = 0

    init(_ bytes: UnsafeRawBufferPointer, named file: String, dialect: JSONValue.Dialect = .standard) {
        self.bytes = bytes
        self.file = file
        self.dialect = dialect
    }

    mutating func skipByteOrderMark() {
        if offset == 0, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    }

    /// The first byte of what comes next, behind white space; nil at the end.
    mutating func peek() -> UInt8? {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            case let byte: return byte
            }
        }
        return nil
    }

    /// Throws unless nothing but white space is left.
    mutating func finish() throws(JSONError) {
        if peek() != nil { throw error(.trailing(bytes: bytes.count - offset)) }
    }

    mutating func beginObject() throws(JSONError) { try begin(UInt8(ascii: "{"), "an object") }

    mutating func beginArray() throws(JSONError) { try begin(UInt8(ascii: "["), "an array") }

    /// The next key of the object, with its colon read; nil where the object ends.
    ///
    /// - Parameter isFirst: True for the first call in an object; it is set to false.
    mutating func nextKey(isFirst: inout Bool) throws(JSONError) -> String? {
        guard try nextMember(isFirst: &isFirst, end: UInt8(ascii: "}"), "',' or '}'") else { return nil }
        _ = peek()
        let start = offset
        let key = try string()
        keyOffset = start
        guard peek() == UInt8(ascii: ":") else { throw unexpected("':'") }
        offset += 1
        return key
    }

    /// Whether the array has another element; where not, its end has been read.
    mutating func nextElement(isFirst: inout Bool) throws(JSONError) -> Bool {
        try nextMember(isFirst: &isFirst, end: UInt8(ascii: "]"), "',' or ']'")
    }

    /// Any value, with all that is in it.
    mutating func value() throws(JSONError) -> JSONValue {
        switch peek() {
        case UInt8(ascii: "{"):
            try beginObject()
            var object = JSONObject()
            var isFirst = true
            while true {
                guard let key = try nextKey(isFirst: &isFirst) else { return .object(object) }
                let start = keyOffset
                let value = try value()
                guard object.append(value, for: key) else { throw error(.duplicateKey(key), at: start) }
            }
        case UInt8(ascii: "["):
            try beginArray()
            var elements: [JSONValue] = []
            var isFirst = true
            while try nextElement(isFirst: &isFirst) { elements.append(try value()) }
            return .array(elements)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t") where skip("true"): return .bool(true)
        case UInt8(ascii: "f") where skip("false"): return .bool(false)
        case UInt8(ascii: "n") where skip("null"): return .null
        default: return .number(try number())
        }
    }

    mutating func string() throws(JSONError) -> String {
        guard peek() == UInt8(ascii: "\"") else { throw unexpected("a string") }
        let start = offset + 1
        var end = start
        while end < bytes.count {
            switch bytes[end] {
            case UInt8(ascii: "\""):
                offset = end + 1
                return try text(bytes[start..<end], at: start)
            case UInt8(ascii: "\\"):
                offset = end
                return try escapedString(from: start)
            case 0..<0x20: throw error(.controlCharacter(bytes[end]), at: end)
            default: end += 1
            }
        }
        offset = end
        throw unexpected("the string's closing '\"'")
    }

    mutating func number() throws(JSONError) -> JSONNumber {
        guard let first = peek() else { throw unexpected("a value") }
        guard first == UInt8(ascii: "-") || isDigit(at: offset) else {
            if dialect == .python, skip("NaN") { return JSONNumber(text: "NaN") }
            if dialect == .python, skip("Infinity") { return JSONNumber(text: "Infinity") }
            throw unexpected("a value")
        }
        if dialect == .python, skip("-Infinity") { return JSONNumber(text: "-Infinity") }
        let start = offset
        if first == UInt8(ascii: "-") { offset += 1 }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "0") {
            offset += 1
            if isDigit(at: offset) { throw unexpected("no digit after a number's leading 0") }
        } else {
            try skipDigits()
        }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            try skipDigits()
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-")
            {
                offset += 1
            }
            try skipDigits()
        }
        return JSONNumber(text: String(decoding: bytes[start..<offset], as: UTF8.self))
    }

    /// An error at a place, by default the one reached.
    func error(_ problem: JSONError.Problem, at offset: Int? = nil) -> JSONError {
        let offset = offset ?? self.offset
        var line = 1
        var start = 0
        while start < offset, let base = bytes.baseAddress,
            let newline = memchr(base + start, 0x0A, offset - start)
        {
            line += 1
            start = UnsafeRawPointer(newline) - base + 1
        }
        return JSONError(file: file, offset: offset, line: line, problem: problem)
    }

    func unexpected(_ expected: String) -> JSONError {
        error(.unexpected(found: offset < bytes.count ? bytes[offset] : nil, expected: expected))
    }

    private mutating func begin(_ bracket: UInt8, _ name: String) throws(JSONError) {
        guard peek() == bracket else { throw unexpected(name) }
        guard depth < JSONValue.maximumDepth else { throw error(.tooDeep(limit: JSONValue.maximumDepth)) }
        depth += 1
        offset += 1
    }

    private mutating func nextMember(isFirst: inout Bool, end: UInt8, _ expected: String) throws(JSONError)
        -> Bool
    {
        let next = peek()
        if next == end {
            offset += 1
            depth -= 1
            return false
        }
        if isFirst {
            isFirst = false
        } else {
            guard next == UInt8(ascii: ",") else { throw unexpected(expected) }
            offset += 1
        }
        return true
    }

    private func text(_ slice: Slice<UnsafeRawBufferPointer>, at start: Int) throws(JSONError) -> String {
        let slice = UnsafeRawBufferPointer(rebasing: slice)
        if let invalid = firstInvalidUTF8(in: slice) {
            throw error(.invalidUTF8(byte: slice[invalid]), at: start + invalid)
        }
        return String(decoding: slice, as: UTF8.self)
    }

    /// Reads on from the first backslash, at `offset`, of the string whose text begins at `start`.
    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var result = try text(bytes[start..<offset], at: start)
        var plain = offset
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\""):
                result += try text(bytes[plain..<offset], at: plain)
                offset += 1
                return result
            case UInt8(ascii: "\\"):
                result += try text(bytes[plain..<offset], at: plain)
                result.unicodeScalars.append(try escapedScalar())
                plain = offset
            case 0..<0x20: throw error(.controlCharacter(byte))
            default: offset += 1
            }
        }
        throw unexpected("the string's closing '\"'")
    }

    private mutating func escapedScalar() throws(JSONError) -> UnicodeScalar {
        let start = offset
        offset += 1
        let plain: UInt8
        switch offset < bytes.count ? bytes[offset] : 0 {
        case UInt8(ascii: "u"):
            offset += 1
            let unit = try hexadecimalUnit()
            return try scalar(beginning: unit, at: start)
        case UInt8(ascii: "\""): plain = 0x22
        case UInt8(ascii: "\\"): plain = 0x5C
        case UInt8(ascii: "/"): plain = 0x2F
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0C
        case UInt8(ascii: "n"): plain = 0x0A
        case UInt8(ascii: "r"): plain = 0x0D
        case UInt8(ascii: "t"): plain = 0x09
        default: throw unexpected("one of \" \\ / b f n r t u behind a backslash")
        }
        offset += 1
        return UnicodeScalar(plain)
    }

    /// The scalar whose first UTF-16 unit has been read: the unit itself, or a surrogate pair.
    private mutating func scalar(beginning unit: UInt16, at start: Int) throws(JSONError) -> UnicodeScalar {
        if let scalar = UnicodeScalar(UInt32(unit)) { return scalar }
        guard unit < 0xDC00, skip("\\u") else { throw error(.loneSurrogate(unit), at: start) }
        let low = try hexadecimalUnit()
        guard (0xDC00...0xDFFF).contains(low) else { throw error(.loneSurrogate(unit), at: start) }
        return UnicodeScalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))!
    }

    private mutating func hexadecimalUnit() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            let byte = offset < bytes.count ? bytes[offset] : 0
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt16(byte & 0x0F)
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
                unit = unit << 4 | UInt16(byte & 0x0F + 9)
            default: throw unexpected("four hexadecimal digits")
            }
            offset += 1
        }
        return unit
    }

    private func isDigit(at offset: Int) -> Bool {
        offset < bytes.count && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[offset])
    }

    private mutating func skipDigits() throws(JSONError) {
        guard isDigit(at: offset) else { throw unexpected("a digit") }
        repeat { offset += 1 } while isDigit(at: offset)
    }

    /// Skips the text where it stands here.
    private mutating func skip(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard length <= bytes.count - offset else { return false }
        for index in 0..<length where bytes[offset + index] != text.utf8Start[index] { return false }
        offset += length
        return true
    }
}
