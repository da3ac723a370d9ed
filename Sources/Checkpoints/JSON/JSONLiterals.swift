extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }
    public init(floatLiteral value: Double) { self = .number(JSONNumber(value)) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(nilLiteral: ()) { self = .null }

    public init(_ value: Int) { self = .number(JSONNumber(value)) }
    public init(_ values: [Int]) { self = .array(values.map { JSONValue($0) }) }
    public init(_ values: [String]) { self = .array(values.map { .string($0) }) }
}

extension JSONValue: ExpressibleByDictionaryLiteral {
    /// An object; of two members with one key, the first counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        var object = JSONObject()
        for (key, value) in elements { _ = object.append(value, for: key) }
        self = .object(object)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Of two members with one key, the first counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init()
        for (key, value) in elements { _ = append(value, for: key) }
    }

    /// The same members, with one more or another.
    public func with(_ key: String, _ value: JSONValue) -> JSONObject {
        var object = JSONObject()
        for member in members { _ = object.append(member.key == key ? value : member.value, for: member.key) }
        _ = object.append(value, for: key)
        return object
    }
}
