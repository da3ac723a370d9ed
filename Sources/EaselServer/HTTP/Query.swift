import Foundation
import Hummingbird

/// The parameters of a request's address, each of which is known.
struct Query {
    private let values: [String: String]

    /// - Throws: ``APIError`` for one that is unknown or there twice.
    init(_ request: Request, _ names: Set<String>) throws {
        var values: [String: String] = [:]
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let (name, value) = try (Self.text(parts[0]), Self.text(parts.count > 1 ? parts[1] : ""))
            guard names.contains(name) else {
                throw APIError(
                    .badRequest, "unknown_field",
                    "there is no parameter \"\(name.prefix(100))\"; there are \(names.sorted().joined(separator: ", "))",
                    field: String(name.prefix(100)))
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw APIError.invalid(name, "\(name) is given twice")
            }
        }
        self.values = values
    }

    /// As forms write it: a plus is a space.
    private static func text(_ encoded: Substring) throws -> String {
        guard let text = encoded.replacing("+", with: " ").removingPercentEncoding else {
            throw APIError.invalid(nil, "the address has what is not text: \(encoded.prefix(100))")
        }
        return text
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
