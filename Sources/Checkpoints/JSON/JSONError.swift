/// Why a document is not JSON that can be read, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Problem: Sendable, Hashable {
        /// The document is longer than is read.
        case tooLarge(bytes: Int, limit: Int)
        /// A byte is not part of UTF-8 text.
        case invalidUTF8(byte: UInt8)
        /// Arrays and objects are nested more deeply than is read.
        case tooDeep(limit: Int)
        /// What stands in its place: a web page, or a pointer of Git LFS.
        case otherText(String)
        /// An object has a key twice.
        case duplicateKey(String)
        /// Something else stands where `expected` should; `found` is nil at the document's end.
        case unexpected(found: UInt8?, expected: String)
        /// Bytes follow the document's one value.
        case trailing(bytes: Int)
        /// A control character stands in a string unescaped.
        case controlCharacter(UInt8)
        /// A `\u` escape is half of a surrogate pair.
        case loneSurrogate(UInt16)
    }

    /// The document's path or name.
    public let file: String
    /// The byte, counted from 0, at which the problem was found.
    public let offset: Int
    /// The line of that byte, counted from 1.
    public let line: Int
    public let problem: Problem

    init(file: String, offset: Int = 0, line: Int = 1, problem: Problem) {
        self.file = file
        self.offset = offset
        self.line = line
        self.problem = problem
    }

    public var description: String {
        if case .tooLarge(let bytes, let limit) = problem {
            return "\(file): \(bytes) bytes are too many for a JSON document; at most \(limit) are read"
        }
        return "\(file), line \(line), byte \(offset): " + problem.reason
    }
}

extension JSONError.Problem {
    fileprivate var reason: String {
        switch self {
        case .tooLarge(let bytes, let limit): "\(bytes) bytes are too many; at most \(limit) are read"
        case .invalidUTF8(let byte): "the byte \(Self.hexadecimal(byte)) is not UTF-8 text"
        case .tooDeep(let limit): "nested more than \(limit) deep"
        case .otherText(let kind): "this is \(kind), not JSON; fetch the file again"
        case .duplicateKey(let key): "the key \(key.quoted) occurs twice in one object"
        case .unexpected(nil, let expected): "expected \(expected), but the text ends here"
        case .unexpected(let byte?, let expected): "expected \(expected), found \(Self.name(of: byte))"
        case .trailing(let bytes): "\(bytes) byte\(bytes == 1 ? "" : "s") after the end of the document"
        case .controlCharacter(let byte):
            "the control character \(Self.hexadecimal(byte)) stands in a string; it must be escaped"
        case .loneSurrogate(let unit):
            "the escape \\u\(String(unit, radix: 16)) is half of a surrogate pair, without the other half"
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    private static func name(of byte: UInt8) -> String {
        (0x21...0x7E).contains(byte) ? "'\(Character(UnicodeScalar(byte)))'" : "byte " + hexadecimal(byte)
    }
}
