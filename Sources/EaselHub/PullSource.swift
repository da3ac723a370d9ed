import Foundation

/// What is to be pulled.
public enum PullSource: Sendable, Hashable {
    case repository(RepositoryReference, file: String?)
    case file(URL)

    /// Reads `owner/name@revision`, or an address: of the hub's own pages, or of a file elsewhere.
    ///
    /// - Throws: ``PullSourceError``.
    public init(_ text: String, endpoint: URL) throws(PullSourceError) {
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(),
            ["http", "https"].contains(scheme)
        else {
            guard let reference = RepositoryReference(text) else { throw PullSourceError(source: text) }
            self = .repository(reference, file: nil)
            return
        }
        // A revision may have slashes of its own, which are written %2F.
        let parts = url.path(percentEncoded: true).split(separator: "/").map {
            $0.removingPercentEncoding ?? String($0)
        }
        if url.host == endpoint.host, url.port == endpoint.port, parts.count >= 2 {
            let id = "\(parts[0])/\(parts[1])"
            let isPage = parts.count == 2 || ["tree", "blob", "resolve"].contains(parts[2])
            let revision = parts.count > 3 ? parts[3] : "main"
            if isPage, let reference = RepositoryReference(id: id, revision: revision) {
                let file = parts.count > 4 && parts[2] != "tree" ? parts[4...].joined(separator: "/") : nil
                self = .repository(reference, file: file)
                return
            }
        }
        self = .file(url)
    }
}

public struct PullSourceError: Error, Sendable, Hashable, CustomStringConvertible {
    public let source: String

    public init(source: String) { self.source = source }

    public var description: String {
        "\(source.contains("://") ? source.withoutSecrets : source) is neither a repository, as owner/name or owner/name@revision, nor the address of a file"
    }
}
