import Checkpoints

/// What comes in place of a file, told by its first bytes.
enum DownloadedText {
    /// - Parameter start: The file's first ``PlainText/byteCount`` bytes, or all where there are fewer.
    /// - Returns: Why it is not kept; nil for what may be the file.
    static func refusal(_ start: [UInt8], url: String) -> HubError? {
        guard !start.isEmpty else { return .malformed(url: url, reason: "the answer is empty") }
        return switch PlainText(start)?.kind {
        case .webPage: .webPage(url: url)
        case .gitLFSPointer:
            .malformed(
                url: url,
                reason: "this is a Git LFS pointer, which stands for the file; its own address is another")
        case .xml, .json, .other, nil: nil
        }
    }
}
