import Foundation

/// A JSON document, or a part of one.
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The most bytes that a document may have: 64 MiB.
    public static let maximumByteCount = 64 << 20

    /// How deep arrays and objects may be nested; the outermost is 1 deep.
    public static let maximumDepth = 64

    /// Which texts are read.
    public enum Dialect: Sendable {
        /// RFC 8259, nothing else.
        case standard
        /// RFC 8259 and the numbers `NaN`, `Infinity` and `-Infinity`, which Python's `json` writes: a
        /// `scheduler_config.json` of diffusers has `"lambda_min_clipped": -Infinity`.
        case python
    }

    /// Reads a document: RFC 8259, UTF-8, at most ``maximumByteCount`` long and ``maximumDepth`` deep, no key
    /// twice in an object, no escape of half a surrogate pair. A byte order mark at the very start is skipped.
    ///
    /// - Parameter file: The name that errors give the document.
    /// - Throws: ``JSONError`` with the position of what is wrong.
    public init(
        parsing bytes: UnsafeRawBufferPointer, named file: String, dialect: Dialect = .standard
    ) throws(JSONError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw JSONError(file: file, problem: .tooLarge(bytes: bytes.count, limit: Self.maximumByteCount))
        }
        var scanner = JSONScanner(bytes, named: file, dialect: dialect)
        scanner.skipByteOrderMark()
        self = try scanner.value()
        try scanner.finish()
    }

    /// Reads a document; see ``init(parsing:named:dialect:)-(UnsafeRawBufferPointer,_,_)``.
    public init(parsing bytes: [UInt8], named file: String, dialect: Dialect = .standard) throws(JSONError) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(JSONError) in try JSONValue(parsing: buffer, named: file, dialect: dialect) }
        }
        self = try result.get()
    }

    /// Reads a document; see ``init(parsing:named:dialect:)-(UnsafeRawBufferPointer,_,_)``.
    public init(parsing data: Data, named file: String, dialect: Dialect = .standard) throws(JSONError) {
        let result = data.withUnsafeBytes { buffer in
            Result { () throws(JSONError) in try JSONValue(parsing: buffer, named: file, dialect: dialect) }
        }
        self = try result.get()
    }

    /// Reads a document from a file; one of more than ``maximumByteCount`` is refused unread.
    ///
    /// - Throws: ``FileError`` where the file cannot be read, ``JSONError`` where it is not such a document.
    public init(contentsOf url: URL, dialect: Dialect = .standard) throws {
        let file = try RegularFile(opening: url.path)
        guard file.byteCount <= Self.maximumByteCount else {
            throw JSONError(
                file: file.path, problem: .tooLarge(bytes: file.byteCount, limit: Self.maximumByteCount))
        }
        let bytes = try file.read(byteCount: file.byteCount, at: 0)
        do throws(JSONError) {
            self = try JSONValue(parsing: bytes, named: file.path, dialect: dialect)
        } catch {
            switch PlainText(bytes)?.kind {
            case .json, .other, nil: throw error
            case let kind?: throw JSONError(file: file.path, problem: .otherText("\(kind)"))
            }
        }
    }
}

extension JSONValue {
    public var isNull: Bool { self == .null }

    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var numberValue: JSONNumber? { if case .number(let value) = self { value } else { nil } }
    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    public var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    public var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }

    /// A few words on the value, for messages: a long text is cut, an array and an object say their count.
    var summary: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let number): number.text.count <= 40 ? number.text : number.text.prefix(40) + "…"
        case .string(let text): "the text " + text.quoted
        case .array(let values): "a list of \(values.count)"
        case .object(let object): "an object of \(object.count)"
        }
    }
}
