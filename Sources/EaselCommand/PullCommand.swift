import ArgumentParser
import EaselHub
import Foundation

/// `easel pull`: fetches a model.
struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetch a model from the hub, or a file from any address.",
        discussion: """
            A repository's model goes into the cache that Hugging Face's own programs use (HF_HOME, HF_TOKEN, \
            HF_ENDPOINT, HF_HUB_OFFLINE); only the files that are needed are fetched. A file from elsewhere goes into \
            Easel's own folder (EASEL_MODELS). What was interrupted goes on where it ended.
            """)

    @Argument(help: "A repository, owner/name or owner/name@revision; the address of one; or of any file.")
    var source: String
    @Argument(help: "Files of the repository (default: what its model needs).")
    var files: [String] = []
    @Option(help: "The weights' variant, such as fp16 (default: those without one).")
    var variant: String?
    @Option(help: "What the SHA-256 of a file from any address has to be.")
    var sha256: String?
    @Flag(name: [.short, .long], help: "Print nothing but errors and where the model is.")
    var quiet = false

    func run() async throws {
        try await reportingErrors { try await interruptible { try await pull() } }
    }

    private func pull() async throws {
        let hub = Hub()
        let line = TransferLine(quiet: quiet)
        let place: URL
        defer { line.clear() }
        switch try PullSource(source, endpoint: hub.environment.endpoint) {
        case .repository(let reference, let file):
            place = try await hub.pull(
                reference, files: files + (file.map { [$0] } ?? []), variant: variant
            ) { line.show($0) }
        case .file(let url):
            guard files.isEmpty else { throw PullSourceError(source: "\(source) \(files[0])") }
            place = try await hub.pull(url, to: hub.environment.ownFolder, sha256: sha256) { line.show($0) }
        }
        line.clear()
        print(place.path)
    }
}

/// What is to be pulled.
enum PullSource {
    case repository(RepositoryReference, file: String?)
    case file(URL)

    /// Reads `owner/name@revision`, or an address: of the hub's own pages, or of a file elsewhere.
    init(_ text: String, endpoint: URL) throws {
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(),
            ["http", "https"].contains(scheme)
        else {
            guard let reference = RepositoryReference(text) else { throw PullSourceError(source: text) }
            self = .repository(reference, file: nil)
            return
        }
        let parts = url.path.split(separator: "/").map(String.init)
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

struct PullSourceError: Error, CustomStringConvertible {
    let source: String
    var description: String {
        "\(source) is neither a repository, as owner/name or owner/name@revision, nor the address of a file"
    }
}
