import Foundation

/// A component's configuration (`config.json`, `scheduler_config.json`), read key by key with types and ranges.
///
/// A key whose value is `null` counts as absent. An absent key gives the default; without a default, and for
/// every value of another type or out of range, a ``ConfigurationError`` says the file, the key, what was
/// expected and what is there. Numbers are never rounded: `8.0` is not a whole number.
public struct Configuration: Sendable {
    /// The file's path, for messages.
    public let path: String
    /// All that the object has.
    public let members: JSONObject
    private let prefix: String

    /// - Throws: ``FileError``, ``JSONError``, or ``ConfigurationError`` where the document is not an object.
    public init(contentsOf url: URL) throws {
        let value = try JSONValue(contentsOf: url, dialect: .python)
        guard case .object(let object) = value else {
            throw ConfigurationError(
                path: url.path, key: "the document", expected: "an object", actual: value.summary)
        }
        self.init(object, path: url.path)
    }

    public init(_ object: JSONObject, path: String) { self.init(object, path: path, prefix: "") }

    private init(_ object: JSONObject, path: String, prefix: String) {
        members = object
        self.path = path
        self.prefix = prefix
    }

    /// Whether the key is there with a value other than `null`.
    public func has(_ key: String) -> Bool { value(key) != nil }

    /// The key's value, or nil where it is absent or `null`.
    public func value(_ key: String) -> JSONValue? {
        let value = members[key]
        return value == .null ? nil : value
    }

    /// An error on a key, for rules that a type and a range do not say.
    public func error(_ key: String, expected: String) -> ConfigurationError {
        ConfigurationError(
            path: path, key: prefix + key, expected: expected, actual: value(key)?.summary)
    }

    /// Checks a rule that a type and a range do not say.
    public func require(_ isMet: Bool, _ key: String, _ expected: String) throws(ConfigurationError) {
        guard isMet else { throw error(key, expected: expected) }
    }

    public func integer(_ key: String, default: Int? = nil, in range: ClosedRange<Int>) throws -> Int {
        try require(key, `default`, Self.wholeNumber(in: range)) { $0.integer(in: range) }
    }

    public func optionalInteger(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
        try has(key) ? integer(key, in: range) : nil
    }

    public func number(_ key: String, default: Double? = nil, in range: ClosedRange<Double>) throws -> Double
    {
        try require(key, `default`, Self.number(in: range)) { $0.double(in: range) }
    }

    public func optionalNumber(_ key: String, in range: ClosedRange<Double>) throws -> Double? {
        try has(key) ? number(key, in: range) : nil
    }

    public func bool(_ key: String, default: Bool? = nil) throws -> Bool {
        try require(key, `default`, "true or false") { $0.boolValue }
    }

    public func string(_ key: String, default: String? = nil) throws -> String {
        try require(key, `default`, "a text") { $0.stringValue }
    }

    public func optionalString(_ key: String) throws -> String? {
        try has(key) ? string(key) : nil
    }

    public func strings(_ key: String, default: [String]? = nil) throws -> [String] {
        try list(key, `default`, "a text") { $0.stringValue }
    }

    public func integers(_ key: String, default: [Int]? = nil, in range: ClosedRange<Int>) throws -> [Int] {
        try list(key, `default`, Self.wholeNumber(in: range)) { $0.integer(in: range) }
    }

    /// A list of `count` whole numbers, or one that stands for `count` equal ones: diffusers writes
    /// `attention_head_dim` and `layers_per_block` both ways.
    public func integersOrOne(
        _ key: String, count: Int, default: [Int]? = nil, in range: ClosedRange<Int>
    ) throws -> [Int] {
        let item = Self.wholeNumber(in: range)
        let expected = "\(item), or a list of \(count) of these"
        return try require(key, `default`, expected) { value in
            if let one = value.integer(in: range) { return [Int](repeating: one, count: count) }
            guard let values = value.arrayValue?.map({ $0.integer(in: range) }), values.count == count,
                !values.contains(nil)
            else { return nil }
            return values.compactMap(\.self)
        }
    }

    /// A list of `count` lists of whole numbers, each of as many as its place in `lengths` says. One number stands for a
    /// list of equal ones, and one for all lists: diffusers writes `transformer_layers_per_block` in all these ways.
    public func integerLists(
        _ key: String, lengths: [Int], default one: Int, in range: ClosedRange<Int>
    ) throws -> [[Int]] {
        guard has(key) else { return lengths.map { Array(repeating: one, count: $0) } }
        let item = Self.wholeNumber(in: range)
        let expected = "\(item), or a list of \(lengths.count) of these or of lists of \(lengths) of these"
        return try require(key, nil, expected) { value in
            if let one = value.integer(in: range) {
                return lengths.map { Array(repeating: one, count: $0) }
            }
            guard let values = value.arrayValue, values.count == lengths.count else { return nil }
            let lists = zip(values, lengths).map { value, length -> [Int]? in
                if let one = value.integer(in: range) { return Array(repeating: one, count: length) }
                let list = value.arrayValue?.compactMap { $0.integer(in: range) }
                return list?.count == length && value.arrayValue?.count == length ? list : nil
            }
            return lists.contains(nil) ? nil : lists.compactMap(\.self)
        }
    }

    public func numbers(
        _ key: String, default: [Double]? = nil, in range: ClosedRange<Double>
    ) throws -> [Double] {
        try list(key, `default`, Self.number(in: range)) { $0.double(in: range) }
    }

    /// The object of that key, or nil where it is absent; its errors name the key before their own.
    public func object(_ key: String) throws -> Configuration? {
        guard has(key) else { return nil }
        let object = try require(key, nil, "an object") { $0.objectValue }
        return Configuration(object, path: path, prefix: prefix + key + ".")
    }

    private func require<Value>(
        _ key: String, _ fallback: Value?, _ expected: String, _ read: (JSONValue) -> Value?
    ) throws -> Value {
        guard let value = value(key) else {
            if let fallback { return fallback }
            throw error(key, expected: expected)
        }
        guard let result = read(value) else { throw error(key, expected: expected) }
        return result
    }

    private func list<Item>(
        _ key: String, _ fallback: [Item]?, _ item: String, _ read: (JSONValue) -> Item?
    ) throws -> [Item] {
        let values = try require(key, fallback == nil ? nil : [], "a list, each item " + item) {
            $0.arrayValue
        }
        if let fallback, !has(key) { return fallback }
        return try values.enumerated().map { index, value in
            if let item = read(value) { return item }
            throw ConfigurationError(
                path: path, key: "\(prefix)\(key)[\(index)]", expected: item,
                actual: value.summary)
        }
    }

    private static func wholeNumber(in range: ClosedRange<Int>) -> String {
        "a whole number from \(range.lowerBound) to \(range.upperBound)"
    }

    private static func number(in range: ClosedRange<Double>) -> String {
        "a number from \(range.lowerBound) to \(range.upperBound)"
    }
}

extension JSONValue {
    fileprivate func integer(in range: ClosedRange<Int>) -> Int? {
        numberValue?.integer.flatMap { range.contains($0) ? $0 : nil }
    }

    fileprivate func double(in range: ClosedRange<Double>) -> Double? {
        (numberValue?.double).flatMap { range.contains($0) ? $0 : nil }
    }
}
