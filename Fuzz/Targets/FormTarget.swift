import Foundation
import WebFormats

/// A form that is read has its parts between its boundaries, and is the same after it is written and read again.
func checkForm(_ bytes: [UInt8]) throws(Broken) {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let type = String(decoding: parts[0], as: UTF8.self)
    guard let boundary = MultipartForm.boundary(of: type) else { return }
    try require((1...70).contains(boundary.utf8.count), "a boundary of \(boundary.utf8.count) bytes")
    let form: MultipartForm
    do throws(MultipartFormError) {
        form = try MultipartForm(Data(parts.dropFirst().first ?? []), boundary: boundary)
    } catch {
        return try require(!error.description.isEmpty, "refused without a reason")
    }
    try require(form.parts.count <= MultipartForm.partLimit, "\(form.parts.count) parts")
    let delimiter = Data("\r\n--\(boundary)".utf8)
    var written = Data()
    for part in form.parts {
        try require(part.bytes.range(of: delimiter) == nil, "a boundary is inside of a part")
        written += delimiter + Data("\r\nContent-Disposition: form-data; name=\(quoted(part.name))".utf8)
        if let name = part.fileName { written += Data("; filename=\(quoted(name))".utf8) }
        written += Data("\r\n\r\n".utf8) + part.bytes
    }
    written += delimiter + Data("--".utf8)
    try require((try? MultipartForm(written, boundary: boundary)) == form, "not read as it is written")
}

/// A quoted string, by its bytes: what is one character with a mark on it is escaped as well.
private func quoted(_ text: String) -> String {
    let quoted = text.utf8.flatMap {
        $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") ? [UInt8(ascii: "\\"), $0] : [$0]
    }
    return "\"" + String(decoding: quoted, as: UTF8.self) + "\""
}
