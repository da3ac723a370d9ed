import Foundation
import Hummingbird

/// A form of fields and files (RFC 7578).
struct MultipartForm: Sendable {
    struct Part: Sendable, Hashable {
        let name: String
        let fileName: String?
        let bytes: Data
    }

    /// In order.
    let parts: [Part]

    /// The most parts that a form may have.
    private static let partLimit = 64

    /// Reads the body of a request.
    ///
    /// - Throws: ``APIError``: 415 where it is not such a form, 413 where it is too large, 400 where it is damaged.
    init(of request: Request, limit: Int) async throws {
        guard let type = request.headers[.contentType], let boundary = Self.boundary(of: type) else {
            throw APIError(
                .unsupportedMediaType, "unsupported_media_type", "the body must be multipart/form-data")
        }
        let bytes = try await BodyBytes.all(of: request, limit: limit)
        try self.init(Data(bytes), boundary: boundary)
    }

    /// Reads a form's bytes.
    ///
    /// - Throws: ``APIError`` 400.
    init(_ body: Data, boundary: String) throws {
        func damaged(_ reason: String) -> APIError {
            APIError(.badRequest, "invalid_form", "the form cannot be read: \(reason)")
        }
        let (start, delimiter) = (Data("--\(boundary)".utf8), Data("\r\n--\(boundary)".utf8))
        guard var place = body.range(of: start)?.upperBound else {
            throw damaged("its boundary is not in it")
        }
        var parts: [Part] = []
        while true {
            let next = body[place...].prefix(2)
            if next == Data("--".utf8) { break }
            guard next == Data("\r\n".utf8) else { throw damaged("a boundary does not end its line") }
            place += 2
            guard let end = body.range(of: delimiter, in: place..<body.endIndex) else {
                throw damaged("its last part has no end")
            }
            guard parts.count < Self.partLimit else {
                throw damaged("it has more than \(Self.partLimit) parts")
            }
            parts.append(
                try Self.part(body[place..<end.lowerBound]) ?? { throw damaged("a part has no name") }())
            place = end.upperBound
        }
        self.parts = parts
    }

    /// The text of a field; nil where there is none.
    func text(_ name: String) -> String? {
        parts.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// The bytes of all files of a name, also where it is written as a list, `name[]`.
    func files(_ name: String) -> [Data] {
        parts.filter { $0.name == name || $0.name == name + "[]" }.map(\.bytes)
    }

    /// A part's header and bytes; nil where it does not say its name.
    private static func part(_ bytes: Data) throws -> Part? {
        let blank = Data("\r\n\r\n".utf8)
        guard let end = bytes.range(of: blank), end.lowerBound - bytes.startIndex <= 4096 else { return nil }
        let header = String(decoding: bytes[bytes.startIndex..<end.lowerBound], as: UTF8.self)
        let lines = header.split(separator: "\r\n")
        guard let disposition = lines.first(where: { $0.lowercased().hasPrefix("content-disposition:") }),
            let name = parameter("name", of: String(disposition))
        else { return nil }
        return Part(
            name: name, fileName: parameter("filename", of: String(disposition)),
            bytes: Data(bytes[end.upperBound...]))
    }

    /// The boundary that a content type names.
    static func boundary(of type: String) -> String? {
        guard type.lowercased().hasPrefix("multipart/form-data"),
            let boundary = parameter("boundary", of: type), (1...70).contains(boundary.utf8.count)
        else { return nil }
        return boundary
    }

    /// A parameter of a header: `; name=value` or `; name="value"`.
    static func parameter(_ name: String, of header: String) -> String? {
        for piece in header.split(separator: ";").dropFirst() {
            let pair = piece.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0].trimmingCharacters(in: .whitespaces).lowercased() == name else {
                continue
            }
            let value = pair[1].trimmingCharacters(in: .whitespaces)
            return value.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"")
                ? String(value.dropFirst().dropLast()) : value
        }
        return nil
    }
}
