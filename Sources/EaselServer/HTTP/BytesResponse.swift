import Foundation
import Hummingbird
import NIOCore

/// Bytes that never change under their address, whole or in part (RFC 9110, section 14).
enum BytesResponse {
    /// - Parameter tag: Names the bytes.
    /// - Throws: ``APIError`` 416 for a range that they do not have.
    static func response(
        _ bytes: Data, type: String, tag: String, to request: Request, isImmutable: Bool = true
    ) throws -> Response {
        var headers: HTTPFields = [
            .contentType: type, .eTag: "\"\(tag)\"", .acceptRanges: "bytes",
            .cacheControl: isImmutable ? "private, max-age=31536000, immutable" : "no-cache",
        ]
        if let known = request.headers[.ifNoneMatch],
            known.split(separator: ",").contains(where: {
                $0.trimmingCharacters(in: .whitespaces) == "\"\(tag)\""
            })
        {
            return Response(status: .notModified, headers: headers)
        }
        // A unit that is not known is to be passed over.
        guard let text = request.headers[.range], text.hasPrefix("bytes=") else {
            return Response(
                status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
        guard let range = range(text, of: bytes.count) else {
            var error = APIError(
                .rangeNotSatisfiable, "range",
                "the range is not one of the \(bytes.count) bytes that there are")
            error.byteCount = bytes.count
            throw error
        }
        headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(bytes.count)"
        let part = bytes[bytes.startIndex + range.lowerBound..<bytes.startIndex + range.upperBound]
        return Response(
            status: .partialContent, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: part)))
    }

    /// One range of bytes; nil for any that is not there, or for several.
    static func range(_ text: String, of count: Int) -> Range<Int>? {
        guard text.hasPrefix("bytes="), count > 0 else { return nil }
        let parts = text.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        func number(_ text: Substring) -> Int? {
            text.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
        }
        guard parts.count == 2 else { return nil }
        if parts[0].isEmpty {
            guard let length = number(parts[1]), length > 0 else { return nil }
            return max(count - length, 0)..<count
        }
        guard let first = number(parts[0]), first < count else { return nil }
        if parts[1].isEmpty { return first..<count }
        guard let last = number(parts[1]), last >= first else { return nil }
        return first..<min(last, count - 1) + 1
    }
}
