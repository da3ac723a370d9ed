/// Why a component's configuration cannot be used: the file, the key, what was expected and what is there.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The configuration's file.
    public let path: String
    /// The key, with the keys of the objects around it: `text_config.hidden_size`.
    public let key: String
    /// What the value should be, with its range.
    public let expected: String
    /// What the value is; nil where the key is missing.
    public let actual: String?

    public init(path: String, key: String, expected: String, actual: String?) {
        self.path = path
        self.key = key
        self.expected = expected
        self.actual = actual
    }

    public var description: String {
        let field = "\(path): " + key.quoted
        if let actual { return "\(field) must be \(expected), but is \(actual)" }
        return "\(field) is missing; it must be \(expected)"
    }
}
