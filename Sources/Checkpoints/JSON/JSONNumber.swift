/// A number as the document writes it: never rounded before someone asks for a type.
public struct JSONNumber: Sendable, Hashable {
    /// The digits as written.
    public let text: String

    package init(text: String) { self.text = text }

    public init(_ value: Int) { text = String(value) }

    /// The shortest digits that are this number again.
    public init(_ value: Double) {
        text = value.isFinite ? "\(value)" : value.isNaN ? "NaN" : value > 0 ? "Infinity" : "-Infinity"
    }

    /// The value where it is written as a whole number that `Int` holds; nil with a fraction or an exponent
    /// (also `1.0` and `1e3`) and out of range.
    public var integer: Int? { Int(text) }

    /// The nearest `Double`; infinite beyond its range.
    public var double: Double {
        switch text {
        case "Infinity": .infinity
        case "-Infinity": -.infinity
        default: Double(text) ?? .nan
        }
    }
}
