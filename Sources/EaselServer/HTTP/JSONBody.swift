import Checkpoints
import Foundation
import Hummingbird
import NIOCore

/// An answer in JSON.
struct JSONBody: Sendable {
    private let data: Data

    /// - Throws: `EncodingError` for numbers that JSON has no words for.
    init(encoding value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        data = try encoder.encode(value)
    }

    init(_ value: JSONValue) { data = Data(value.line.utf8) }

    func response(_ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json; charset=utf-8"
        headers[.cacheControl] = headers[.cacheControl] ?? "no-store"
        return Response(
            status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }

    var text: String { String(decoding: data, as: UTF8.self) }
}

/// A request's body in JSON.
enum JSONRequest {
    /// The whole body.
    ///
    /// - Throws: ``APIError``: 415 where it is not said to be JSON, 413 where it is too large, 400 where it is not JSON.
    static func value(of request: Request, limit: Int) async throws -> JSONValue {
        let type = request.headers[.contentType]?.split(separator: ";").first?
            .trimmingCharacters(in: .whitespaces).lowercased()
        guard type == "application/json" else {
            throw APIError(
                .unsupportedMediaType, "unsupported_media_type",
                "the body's type is \(type ?? "not given"); it must be application/json")
        }
        let bytes = try await BodyBytes.all(of: request, limit: limit)
        do {
            return try JSONValue(parsing: bytes, named: "the body")
        } catch {
            throw APIError(.badRequest, "invalid_json", "\(error)")
        }
    }

    /// The body as a type whose fields are all known.
    ///
    /// - Throws: ``APIError`` as ``value(of:limit:)``, and 400 for a field that is unknown, missing or of another type.
    static func decoded<T: Decodable>(
        _ type: T.Type, of request: Request, limit: Int, fields: FieldNames
    ) async throws -> T {
        try decoded(type, from: await value(of: request, limit: limit), fields: fields)
    }

    static func decoded<T: Decodable>(_ type: T.Type, from value: JSONValue, fields: FieldNames) throws -> T {
        guard case .object(let object) = value else {
            throw APIError.invalid(nil, "the body must be an object of JSON")
        }
        try fields.check(object)
        do {
            return try JSONDecoder().decode(type, from: Data(value.line.utf8))
        } catch let error as DecodingError {
            if case .dataCorrupted(let context) = error, context.codingPath.isEmpty {
                throw numberError(type, object)
            }
            throw APIError(error)
        }
    }

    /// A number that its field cannot hold: the decoder does not say of which field, which is the one that it can be read
    /// without.
    private static func numberError<T: Decodable>(_ type: T.Type, _ object: JSONObject) -> APIError {
        for member in object.members where member.value.numberValue != nil {
            let others = JSONObject(object.members.filter { $0.key != member.key }) ?? JSONObject()
            let text = JSONValue.object(others).line
            do {
                _ = try JSONDecoder().decode(type, from: Data(text.utf8))
            } catch DecodingError.dataCorrupted {
                continue
            } catch {}
            return .invalid(
                member.key, "\(member.key) \(member.value.line.prefix(40)) is not a number that it can be")
        }
        return .invalid(nil, "a number of the body is not possible")
    }
}

/// The fields that an object may have, and those of objects in it.
struct FieldNames: Sendable {
    let names: [String]
    var nested: [String: FieldNames] = [:]

    /// - Throws: ``APIError`` that names a field that is not one of them.
    func check(_ object: JSONObject, path: String = "") throws {
        for member in object.members {
            guard names.contains(member.key) else {
                let nearest = names.filter { $0.contains(member.key) || member.key.contains($0) }.sorted()
                throw APIError(
                    .badRequest, "unknown_field",
                    "there is no field \"\(path + member.key)\""
                        + (nearest.isEmpty ? "" : "; did you mean \(nearest.joined(separator: " or "))?"),
                    field: path + member.key)
            }
            guard let inner = nested[member.key] else { continue }
            switch member.value {
            case .object(let object): try inner.check(object, path: path + member.key + ".")
            case .array(let elements):
                for case .object(let object) in elements {
                    try inner.check(object, path: path + member.key + ".")
                }
            default: break
            }
        }
    }
}

extension APIError {
    /// What is wrong with a value, and where.
    init(_ error: DecodingError) {
        func path(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
            (context.codingPath + (last.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            let field = path(context, key)
            self.init(.badRequest, "missing_field", "the field \"\(field)\" is missing", field: field)
        case .typeMismatch(let type, let context):
            let field = path(context)
            self.init(
                .badRequest, "invalid", "\(field) is not a value of the kind that it must be (\(type))",
                field: field)
        case .valueNotFound(_, let context):
            self.init(.badRequest, "invalid", "\(path(context)) may not be null", field: path(context))
        case .dataCorrupted(let context):
            self.init(
                .badRequest, "invalid", "\(path(context)) is not possible: \(context.debugDescription)",
                field: path(context))
        @unknown default: self.init(.badRequest, "invalid", "the body cannot be read")
        }
    }
}

/// The bytes of a request.
enum BodyBytes {
    /// - Throws: ``APIError`` 413 where there are more than the limit: without reading on, so that the connection ends.
    static func all(of request: Request, limit: Int) async throws -> [UInt8] {
        func tooLarge() -> APIError {
            var error = APIError(
                .contentTooLarge, "too_large", "the body is larger than the limit of \(limit) bytes")
            error.closes = true
            return error
        }
        if let text = request.headers[.contentLength], let length = Int(text), length > limit {
            throw tooLarge()
        }
        var bytes: [UInt8] = []
        for try await part in request.body {
            guard bytes.count + part.readableBytes <= limit else { throw tooLarge() }
            bytes.append(contentsOf: part.readableBytesView)
        }
        return bytes
    }
}
