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

    func validate() throws {
        if let sha256, sha256.count != 64 || !sha256.allSatisfy(\.isHexDigit) {
            throw ValidationError("--sha256 \(sha256) is no SHA-256: it has 64 digits, 0-9 and a-f.")
        }
        let isRepository =
            if case .repository? = try? PullSource(source, endpoint: HubEnvironment().endpoint) {
                true
            } else { false }
        if sha256 != nil, isRepository {
            throw ValidationError(
                "--sha256 is for a file from any address; a repository's files are held to the hub's own hashes."
            )
        }
        if variant != nil, !isRepository || !files.isEmpty {
            throw ValidationError("--variant is for a repository of which no files are named.")
        }
    }

    func run() async throws {
        await reportingErrors { try await interruptible { try await pull() } }
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
