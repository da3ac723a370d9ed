import Hummingbird

/// The parameters of a request's address, each of which is known.
struct Query {
    private let values: [String: String]

    /// - Throws: ``APIError`` for one that is unknown or there twice.
    init(_ request: Request, _ names: Set<String>) throws {
        var values: [String: String] = [:]
        for (key, value) in request.uri.queryParameters {
            let name = String(key)
            guard names.contains(name) else {
                throw APIError(
                    .badRequest, "unknown_field",
                    "there is no parameter \"\(name.prefix(100))\"; there are \(names.sorted().joined(separator: ", "))",
                    field: String(name.prefix(100)))
            }
            guard values.updateValue(String(value), forKey: name) == nil else {
                throw APIError.invalid(name, "\(name) is given twice")
            }
        }
        self.values = values
    }

    subscript(_ name: String) -> String? { values[name] }

    func flag(_ name: String) throws -> Bool {
        switch values[name] {
        case nil, "false", "0": false
        case "true", "1": true
        case let other?:
            throw APIError.invalid(name, "\(name) is \(other.prefix(40)); it must be true or false")
        }
    }

    func number(_ name: String, _ range: ClosedRange<Int>, default standard: Int) throws -> Int {
        guard let text = values[name] else { return standard }
        guard let number = Int(text), range.contains(number) else {
            throw APIError.invalid(
                name, "\(name) must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}
