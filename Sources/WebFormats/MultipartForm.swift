import Foundation

/// A form of fields and files, as browsers and other clients send it (RFC 7578; its frame is RFC 2046, section 5.1).
package struct MultipartForm: Sendable, Hashable {
    package struct Part: Sendable, Hashable {
        package let name: String
        /// As the client says, which is nothing to open a file by.
        package let fileName: String?
        package let bytes: Data
    }

    /// In order.
    package let parts: [Part]

    /// The most parts that a form may have.
    package static let partLimit = 64
    /// The most bytes that what is before a part's own bytes may have.
    package static let headerLimit = 4096

    /// Reads a form's bytes.
    ///
    /// - Parameter boundary: As ``boundary(of:)`` gives it.
    /// - Throws: ``MultipartFormError``
    package init(_ body: Data, boundary: String) throws(MultipartFormError) {
        let delimiter = Data("\r\n--\(boundary)".utf8)
        guard var place = Self.start(of: body, delimiter: delimiter) else { throw .noBoundary }
        var parts: [Part] = []
        while !body[place...].starts(with: Data("--".utf8)) {
            // Spaces that were added on the way.
            place = body[place...].firstIndex { $0 != 0x20 && $0 != 0x09 } ?? body.endIndex
            guard body[place...].starts(with: Data("\r\n".utf8)) else { throw .unendedBoundary }
            // A part may be empty: the line's end is that of the next boundary, too.
            guard let end = body.range(of: delimiter, in: place..<body.endIndex) else { throw .unendedPart }
            guard parts.count < Self.partLimit else { throw .parts(limit: Self.partLimit) }
            guard end.lowerBound >= place + 2, let part = try Part(body[(place + 2)..<end.lowerBound]) else {
                throw .unnamedPart
            }
            parts.append(part)
            place = end.upperBound
        }
        self.parts = parts
    }

    /// Where the bytes after the first boundary begin, which stands at the start of a line.
    private static func start(of body: Data, delimiter: Data) -> Data.Index? {
        let first = delimiter.dropFirst(2)
        if body.starts(with: first) { return body.startIndex + first.count }
        return body.range(of: delimiter)?.upperBound
    }

    /// The text of a field; nil where there is none.
    package func text(_ name: String) -> String? {
        parts.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// The bytes of all files of a name, also where it is written as a list, `name[]`.
    package func files(_ name: String) -> [Data] {
        parts.filter { $0.name == name || $0.name == name + "[]" }.map(\.bytes)
    }

    /// The boundary that a content type names; nil where it is none of a form.
    package static func boundary(of type: String) -> String? {
        guard let header = HeaderParameters(type.utf8), header.value == "multipart/form-data",
            let boundary = header["boundary"], (1...70).contains(boundary.utf8.count)
        else { return nil }
        return boundary
    }
}

extension MultipartForm.Part {
    /// Reads a part's header and bytes.
    ///
    /// - Returns: Nil where it does not say its name.
    fileprivate init?(_ bytes: Data) throws(MultipartFormError) {
        let blank = Data("\r\n\r\n".utf8)
        guard let end = bytes.range(of: blank) else { return nil }
        let header = bytes[..<end.lowerBound]
        guard header.count <= MultipartForm.headerLimit else {
            throw .longHeader(limit: MultipartForm.headerLimit)
        }
        guard let disposition = Self.field("content-disposition", of: header) else { return nil }
        guard let parameters = HeaderParameters(disposition) else { throw .disposition }
        guard let name = parameters["name"] else { return nil }
        self.init(name: name, fileName: parameters["filename"], bytes: Data(bytes[end.upperBound...]))
    }

    /// What follows a field's name and colon in a header.
    private static func field(_ name: String, of header: Data) -> Data? {
        var rest = header
        while !rest.isEmpty {
            let end = rest.range(of: Data("\r\n".utf8))
            let line = rest[..<(end?.lowerBound ?? rest.endIndex)]
            if let colon = line.firstIndex(of: UInt8(ascii: ":")),
                String(decoding: line[..<colon], as: UTF8.self).lowercased() == name
            {
                return line[(colon + 1)...]
            }
            rest = rest[(end?.upperBound ?? rest.endIndex)...]
        }
        return nil
    }
}

/// Why bytes are not a form.
package enum MultipartFormError: Error, Sendable, Hashable, CustomStringConvertible {
    case noBoundary
    case unendedBoundary
    case unendedPart
    case unnamedPart
    case disposition
    case longHeader(limit: Int)
    case parts(limit: Int)

    package var description: String {
        switch self {
        case .noBoundary: "its boundary is not in it"
        case .unendedBoundary: "a boundary does not end its line"
        case .unendedPart: "its last part has no end"
        case .unnamedPart: "a part has no name"
        case .disposition: "a part's Content-Disposition is not parameters and quoted strings"
        case .longHeader(let limit): "a part's header has more than \(limit) bytes"
        case .parts(let limit): "it has more than \(limit) parts"
        }
    }
}
