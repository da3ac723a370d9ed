/// What comes in place of a file, told by its first bytes.
enum DownloadedText {
    /// As many bytes are looked at.
    static let byteCount = 512

    /// - Parameter start: The file's first ``byteCount`` bytes, or all where there are fewer.
    /// - Returns: Why it is not kept; nil for what may be the file.
    static func refusal(_ start: [UInt8], url: String) -> HubError? {
        guard !start.isEmpty else { return .malformed(url: url, reason: "the answer is empty") }
        // A header's length has zeros behind it, and a pickle has numbers below 32.
        guard start.allSatisfy({ $0 >= 0x20 || [0x09, 0x0A, 0x0C, 0x0D].contains($0) }) else { return nil }
        let text = String(decoding: start, as: UTF8.self).lowercased()
            .drop { $0.isWhitespace || $0 == "\u{FEFF}" }
        if text.hasPrefix("<"), ["<html", "<!doctype html", "<head"].contains(where: { text.contains($0) }) {
            return .webPage(url: url)
        }
        if text.hasPrefix("version https://git-lfs.github.com/spec/") {
            return .malformed(
                url: url,
                reason: "this is a Git LFS pointer, which stands for the file; its own address is another")
        }
        return nil
    }
}
