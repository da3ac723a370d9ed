/// A text where another file should be: what a server answered in place of the file, or what Git LFS left for it.
package struct PlainText {
    package enum Kind: Hashable, CustomStringConvertible {
        case webPage, xml, json, other
        /// - Parameter byteCount: Of the file that it stands for, where it says so.
        case gitLFSPointer(byteCount: Int?)

        package var description: String {
            switch self {
            case .webPage: "a web page"
            case .xml: "XML"
            case .json: "JSON"
            case .other: "a text"
            case .gitLFSPointer(let size):
                "a Git LFS pointer to a file" + (size.map { " of \($0) bytes" } ?? "")
            }
        }
    }

    package let kind: Kind
    /// Its first characters.
    package let start: String

    package var isGitLFSPointer: Bool {
        if case .gitLFSPointer = kind { true } else { false }
    }

    /// As many of a file's first bytes are looked at.
    package static let byteCount = 512

    /// - Parameter bytes: A file's first ``byteCount`` bytes, or all where there are fewer; more are not looked at.
    /// - Returns: Nil for what is no text.
    package init?(_ bytes: [UInt8]) {
        let bytes = bytes.prefix(Self.byteCount)
        // A header's length has zeros behind it, and a pickle has numbers below 32.
        let isText = bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || [0x09, 0x0A, 0x0C, 0x0D].contains($0) }
        guard isText, !bytes.isEmpty else { return nil }
        let text = String(decoding: bytes, as: UTF8.self).drop { $0.isWhitespace || $0 == "\u{FEFF}" }
        start = String(text.prefix(60))
        if text.hasPrefix("version https://git-lfs.github.com/spec/") {
            kind = .gitLFSPointer(byteCount: Self.pointedByteCount(text))
        } else if text.hasPrefix("<") {
            let lowered = text.lowercased()
            let isPage = ["<html", "<!doctype html", "<head"].contains { lowered.contains($0) }
            kind = isPage ? .webPage : .xml
        } else {
            // Any eight bytes may be the length that a header begins with; only the last character may have been cut.
            guard (0...3).contains(where: { String(validating: bytes.dropLast($0), as: UTF8.self) != nil })
            else { return nil }
            kind = text.hasPrefix("{") ? .json : .other
        }
    }

    /// - Throws: ``FileError``.
    init?(of file: RegularFile) throws {
        self.init(try file.read(byteCount: min(file.byteCount, Self.byteCount), at: 0))
    }

    private static func pointedByteCount(_ pointer: Substring) -> Int? {
        pointer.split(whereSeparator: \.isNewline).lazy.filter { $0.hasPrefix("size ") }
            .compactMap { Int($0.dropFirst(5)) }.first { $0 >= 0 }
    }
}
