/// A repository of models and one of its revisions: `owner/name`, `owner/name@revision`.
public struct RepositoryReference: Sendable, Hashable, CustomStringConvertible {
    /// `owner/name`, or a name alone.
    public let id: String
    /// A branch, a tag or a commit; `main` where none is named.
    public let revision: String

    public var description: String { revision == "main" ? id : "\(id)@\(revision)" }

    /// - Returns: Nil for what cannot be a repository's name, by huggingface_hub's rules, or a revision's.
    public init?(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        self.init(id: parts[0], revision: parts.count > 1 ? parts[1] : "main")
    }

    /// - Returns: As ``init(_:)``.
    public init?(id: String, revision: String) {
        let names = id.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(names.count), (1...96).contains(id.utf8.count),
            names.allSatisfy({ Self.isName($0) }), !id.contains("--"), !id.contains(".."),
            !id.hasSuffix(".git"), Self.isRevision(revision)
        else { return nil }
        self.id = id
        self.revision = revision
    }

    private static func isName(_ text: Substring) -> Bool {
        let isPlain = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                || [0x2D, 0x2E, 0x5F].contains($0)
        }
        guard let first = text.first, let last = text.last else { return false }
        return isPlain && !"-.".contains(first) && !"-.".contains(last)
    }

    /// A name that is one of a file in `refs` too, and does not lead out of it.
    private static func isRevision(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return text.utf8.count <= 255 && parts.allSatisfy { $0 != "" && $0 != "." && $0 != ".." }
            && text.unicodeScalars.allSatisfy {
                $0.value > 32 && $0 != "\\" && $0.value < 127 && $0 != "?" && $0 != "#"
            }
    }

    /// Whether the revision is a commit, which never changes.
    var isCommit: Bool { Self.isCommit(revision) }

    static func isCommit(_ text: String) -> Bool {
        text.utf8.count == 40
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
