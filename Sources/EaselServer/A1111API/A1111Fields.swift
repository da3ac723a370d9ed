import Checkpoints
import Hummingbird

/// The fields of a request as AUTOMATIC1111's server takes them: unknown ones are left alone, null is the default, and
/// numbers may be text.
struct A1111Fields: Sendable {
    private let object: JSONObject

    init(_ object: JSONObject) { self.object = object }

    /// - Throws: ``APIError`` where the body is not an object of JSON.
    init(of request: Request, limit: Int) async throws {
        guard case .object(let object) = try await JSONRequest.value(of: request, limit: limit) else {
            throw APIError(
                .unprocessableContent, "invalid", "Input should be a valid dictionary", field: "body")
        }
        self.object = object
    }

    var members: [JSONObject.Member] { object.members }

    func has(_ name: String) -> Bool { object[name].map { !$0.isNull } ?? false }

    subscript(_ name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return .none }
        return value
    }

    func text(_ name: String) throws -> String? {
        guard let value = self[name] else { return nil }
        guard let text = value.stringValue else { throw Self.wrong(name, "Input should be a valid string") }
        return text
    }

    /// A text; an empty one is none.
    func word(_ name: String) throws -> String? {
        try text(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    func number(_ name: String) throws -> Double? {
        guard let value = self[name] else { return nil }
        let number = value.numberValue?.double ?? value.stringValue.flatMap(Double.init)
        guard let number, number.isFinite else { throw Self.wrong(name, "Input should be a valid number") }
        return number
    }

    /// A number that 32 bits hold.
    func float(_ name: String) throws -> Float? {
        guard let number = try number(name) else { return nil }
        let float = Float(number)
        guard float.isFinite else { throw Self.wrong(name, "Input should be a smaller number") }
        return float
    }

    func integer(_ name: String) throws -> Int? {
        guard let number = try number(name) else { return nil }
        guard let integer = Int(exactly: number) else {
            throw Self.wrong(name, "Input should be a valid integer")
        }
        return integer
    }

    func flag(_ name: String) throws -> Bool? {
        guard let value = self[name] else { return nil }
        if let flag = value.boolValue { return flag }
        switch value.numberValue?.integer {
        case 0: return false
        case 1: return true
        default: throw Self.wrong(name, "Input should be a valid boolean")
        }
    }

    func texts(_ name: String) throws -> [String] {
        guard let value = self[name] else { return [] }
        guard let values = value.arrayValue, values.allSatisfy({ $0.stringValue != nil }) else {
            throw Self.wrong(name, "Input should be a valid list of strings")
        }
        return values.compactMap(\.stringValue)
    }

    func objects(_ name: String) throws -> [A1111Fields] {
        guard let value = self[name] else { return [] }
        guard let values = value.arrayValue, values.allSatisfy({ $0.objectValue != nil }) else {
            throw Self.wrong(name, "Input should be a valid list of dictionaries")
        }
        return values.compactMap(\.objectValue).map { A1111Fields($0) }
    }

    func fields(_ name: String) throws -> A1111Fields {
        guard let value = self[name] else { return A1111Fields(JSONObject()) }
        guard let inner = value.objectValue else {
            throw Self.wrong(name, "Input should be a valid dictionary")
        }
        return A1111Fields(inner)
    }

    /// A seed; −1 is none.
    func seed(_ name: String) throws -> Seed? {
        if let text = self[name]?.numberValue?.text ?? self[name]?.stringValue, let value = UInt64(text) {
            return Seed(value)
        }
        guard let number = try integer(name) else { return nil }
        guard number == -1 else {
            throw Self.wrong(name, "Input should be -1 or a whole number from 0 to 18446744073709551615")
        }
        return nil
    }

    /// The echo of a request, as it was but for what is too long to be sent back.
    func echo(without names: Set<String>) -> JSONValue {
        var echo = JSONObject()
        for member in object.members {
            _ = echo.append(names.contains(member.key) ? .null : member.value, for: member.key)
        }
        return .object(echo)
    }

    static func wrong(_ field: String, _ message: String) -> APIError {
        APIError(.unprocessableContent, "invalid", message, field: field)
    }
}
