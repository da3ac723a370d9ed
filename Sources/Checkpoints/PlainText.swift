/// A file of text where weights should be: what a server answered in place of the file.
struct PlainText {
    /// What it is called: a web page, XML, a text.
    let kind: String
    /// Its first characters.
    let start: String

    private static let byteCount = 512

    /// - Returns: Nil for a file that may hold weights; also for what the readers of weights know by its beginning, such as a
    ///   pointer of Git LFS.
    init?(_ file: RegularFile) throws {
        var bytes = try file.read(byteCount: min(file.byteCount, Self.byteCount), at: 0)
        // A header's length has zeros behind it, and a pickle has numbers below 32.
        let isText = bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || [0x09, 0x0A, 0x0D].contains($0) }
        guard isText, bytes.count >= 8, !bytes.starts(with: "version https://git-lfs".utf8) else {
            return nil
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        // The last character may have been cut.
        while let last = bytes.last, last >= 0x80, String(validating: bytes, as: UTF8.self) == nil {
            bytes.removeLast()
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        start = String(text.drop(while: \.isWhitespace).prefix(60))
        let lowered = text.lowercased()
        if lowered.contains("<html") || lowered.contains("<!doctype html") || lowered.contains("<head") {
            kind = "a web page"
        } else if start.hasPrefix("<") {
            kind = "XML, as servers answer in place of a file"
        } else if start.hasPrefix("{") {
            kind = "JSON, as servers answer in place of a file"
        } else {
            kind = "a text"
        }
    }
}
