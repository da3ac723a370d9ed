import Checkpoints
import Foundation

/// What is known of a file before it comes.
package struct RemoteFile: Sendable, Hashable {
    package let path: String
    package let url: URL
    /// The SHA-256, or for small files the hash that Git keeps it by; nil for files from elsewhere.
    package let etag: String?
    package let byteCount: Int?

    /// No file is larger: sums of sizes that servers announce stay numbers.
    package static let sizeLimit = 1 << 50

    init(path: String, url: URL, etag: String?, byteCount: Int?) {
        self.path = path
        self.url = url
        self.etag = etag
        self.byteCount = byteCount
    }

    /// Reads the hub's answer about a file of a repository.
    ///
    /// - Parameters:
    ///   - url: Where the answer is from.
    ///   - commit: What was asked for.
    ///   - header: The value of a header.
    /// - Throws: ``HubError`` where the answer lacks what a file is kept by, or it is none.
    package init(path: String, url: URL, commit: String, header: (String) -> String?) throws(HubError) {
        func value(_ names: String...) throws(HubError) -> String {
            for name in names { if let value = header(name) { return value } }
            throw .missingHeader(names[0], url: url.shown)
        }
        let other = try value("X-Repo-Commit")
        guard other == commit else {
            throw .malformed(
                url: url.shown,
                reason: "it is of the commit \(other.quoted), asked for was \(commit)")
        }
        var etag = try value("X-Linked-Etag", "ETag")
        if etag.hasPrefix("W/") { etag.removeFirst(2) }
        etag = etag.trimmingCharacters(in: CharacterSet(charactersIn: "\""))
        guard [40, 64].contains(etag.utf8.count),
            etag.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { throw .badETag(etag, url: url.shown) }
        let size = try value("X-Linked-Size", "Content-Length")
        guard let byteCount = Self.size(size) else {
            throw .malformed(url: url.shown, reason: "\(size.quoted) is no file's size")
        }
        self.init(path: path, url: url, etag: etag, byteCount: byteCount)
    }

    /// A size that a header says; nil for what is none.
    static func size(_ text: String) -> Int? {
        Int(text).flatMap { (0...sizeLimit).contains($0) ? $0 : nil }
    }
}

/// A revision's commit and the names of its files, as the hub lists them.
package struct RevisionListing: Sendable, Hashable {
    package let commit: String
    package let names: [String]

    /// - Parameter url: Where the answer is from.
    /// - Throws: ``HubError/malformed(url:reason:)``.
    package init(parsing answer: [UInt8], url: String) throws(HubError) {
        let document: JSONValue
        do { document = try JSONValue(parsing: answer, named: "the answer") } catch {
            throw .malformed(url: url, reason: "\(error)")
        }
        guard let commit = document.objectValue?["sha"]?.stringValue, RepositoryReference.isCommit(commit),
            let siblings = document.objectValue?["siblings"]?.arrayValue
        else { throw .malformed(url: url, reason: "the answer has no commit or no list of files") }
        self.commit = commit
        names = siblings.compactMap { $0.objectValue?["rfilename"]?.stringValue }
    }
}

/// What other headers say.
package enum HubHeader {
    /// The name that a file is given by `Content-Disposition` (RFC 6266): by `filename*`, which says any letters, else by
    /// `filename`, also where spaces in it are not quoted.
    package static func fileName(inDisposition text: String) -> String? {
        var (parts, isQuoted) = ([""], false)
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if character == ";", !isQuoted {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        func value(_ name: String) -> String? {
            for part in parts {
                let pair = part.split(separator: "=", maxSplits: 1).map {
                    $0.trimmingCharacters(in: .whitespaces)
                }
                guard pair.count == 2, pair[0].lowercased() == name else { continue }
                let value = pair[1].trimmingCharacters(in: CharacterSet(charactersIn: "\""))
                if !value.isEmpty { return value }
            }
            return nil
        }
        // RFC 8187: the letters' encoding, a language, and the text, with an apostrophe between.
        let extended = value("filename*")?.split(
            separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        if let extended, extended.count == 3, extended[0].lowercased() == "utf-8",
            let name = extended[2].removingPercentEncoding, !name.isEmpty
        {
            return name
        }
        return value("filename")
    }

    /// How long a server asks to wait by `Retry-After`, at most five minutes; nil for a date and for what is no number.
    package static func delay(_ text: String) -> Duration? {
        guard let seconds = Double(text), seconds.isFinite else { return nil }
        return .seconds(min(max(seconds, 0), 300))
    }

    /// How long a server's limit of requests still lasts by `RateLimit`, `"api";r=0;t=120`, at most five minutes; nil where
    /// it does not say.
    package static func delay(ofLimit text: String) -> Duration? {
        text.split(whereSeparator: { $0 == ";" || $0 == "," })
            .map { $0.trimmingCharacters(in: .whitespaces) }
            .first { $0.hasPrefix("t=") }.flatMap { delay(String($0.dropFirst(2))) }
    }

    /// The first byte and the whole size of `Content-Range`; the size is nil where the server does not know it.
    package static func range(_ text: String) -> (start: Int, size: Int?)? {
        guard text.hasPrefix("bytes "), let slash = text.firstIndex(of: "/"),
            let dash = text.firstIndex(of: "-"), dash < slash,
            let start = RemoteFile.size(String(text[text.index(text.startIndex, offsetBy: 6)..<dash]))
        else { return nil }
        return (start, RemoteFile.size(String(text[text.index(after: slash)...])))
    }
}
