import AsyncHTTPClient
import Checkpoints
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// Fetches models from Hugging Face's hub, or one that speaks its protocol, into the cache that Python's programs share.
public struct Hub: Sendable {
    public let environment: HubEnvironment
    public var cache: HubCache { HubCache(at: environment.cache) }
    /// How long the first pause is where the hub is busy; it doubles.
    var pause: Duration = .seconds(1)

    /// How many files come at once.
    private static let parallelism = 4
    private static let listLimit = 64 << 20

    public init(_ environment: HubEnvironment = HubEnvironment()) { self.environment = environment }

    package func withPause(_ pause: Duration) -> Hub {
        var hub = self
        hub.pause = pause
        return hub
    }

    /// How far a pull is.
    public struct Progress: Sendable, Hashable {
        /// The file that is being fetched, or was.
        public let file: String
        /// Of all files.
        public let byteCount: Int
        /// Of all files together; grows while sizes become known.
        public let totalByteCount: Int
    }

    /// Fetches a model, or files of it; what is there already is not fetched again.
    ///
    /// - Parameters:
    ///   - files: Files of the repository; empty for what its model needs.
    ///   - variant: The weights' variant (`fp16`); nil for those without one, and only where there are none a variant.
    /// - Returns: The snapshot's folder, or the file where it is one.
    /// - Throws: ``HubError``, `ModelFolderError` for a variant that is not there, `CancellationError`.
    public func pull(
        _ reference: RepositoryReference, files: [String] = [], variant: String? = nil,
        report: @escaping @Sendable (Progress) -> Void = { _ in }
    ) async throws -> URL {
        if environment.isOffline { return try known(reference, files) }
        if reference.isCommit, !files.isEmpty, let known = try? known(reference, files) { return known }
        return try await withConnection { connection in
            let (commit, names) = try await list(reference, connection)
            let selection = try FileSelection(names, of: reference.id)
            let wanted = try files.isEmpty ? selection.model(variant: variant) : selection.named(files)
            try cache.prepare(reference.id)
            let tally = Tally(report)
            try await inParallel(wanted) { name in
                try await fetch(name, commit: commit, of: reference, connection, tally)
            }
            try cache.keep(commit, for: reference)
            let isOneFile = wanted.count == 1 && wanted[0] != "model_index.json"
            let snapshot = cache.snapshot(commit, of: reference.id)
            return isOneFile ? snapshot.appending(path: wanted[0]) : snapshot
        }
    }

    /// Fetches a file from any address into a folder.
    ///
    /// - Parameters:
    ///   - sha256: What its hash has to be; nil where nobody knows.
    /// - Returns: The file.
    /// - Throws: ``HubError``, `CancellationError`.
    public func pull(
        _ address: URL, to folder: URL, sha256: String? = nil,
        report: @escaping @Sendable (Progress) -> Void = { _ in }
    ) async throws -> URL {
        guard !environment.isOffline else { throw HubError.offline(address.absoluteString) }
        return try await withConnection { connection in
            let answer = try await connection.send(.HEAD, address, redirects: .anywhere)
            // Some servers know GET alone.
            let isKnown = (200..<300).contains(answer.response.status.code)
            let name = (isKnown ? answer.fileName : nil) ?? address.lastPathComponent
            guard FileSelection.isSafe(name), name != "/" else {
                throw HubError.unsafeName(name, repository: address.absoluteString)
            }
            try HubCache.writing(folder) {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            }
            let target = folder.appending(path: name)
            let size = isKnown ? answer.header("content-length").flatMap { Int($0) } : nil
            let tally = Tally(report)
            tally.expect(size ?? 0)
            let file = RemoteFile(path: name, url: address, etag: nil, byteCount: size)
            var download = FileDownload(
                connection: connection, file: file, partial: folder.appending(path: name + ".incomplete"),
                target: target)
            download.expectedHash = sha256
            try await download.run { tally.tell(name, $0) }
            return target
        }
    }

    // MARK: Steps

    /// What is in the cache already.
    private func known(_ reference: RepositoryReference, _ files: [String]) throws(HubError) -> URL {
        guard let commit = cache.commit(of: reference) else { throw .offline(reference.description) }
        for file in files.isEmpty ? ["model_index.json"] : files {
            guard cache.file(file, commit: commit, of: reference.id) != nil else {
                throw .offline("\(reference)/\(file)")
            }
        }
        let snapshot = cache.snapshot(commit, of: reference.id)
        return files.count == 1 ? snapshot.appending(path: files[0]) : snapshot
    }

    /// A revision's commit and the names of its files.
    private func list(_ reference: RepositoryReference, _ connection: HubConnection) async throws -> (
        commit: String, names: [String]
    ) {
        let revision = reference.revision.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let url = try address("/api/models/\(reference.id)/revision/\(revision)")
        let answer = try await connection.send(.GET, url, redirects: .withinHost)
        guard answer.response.status == .ok else {
            throw connection.failure(answer, repository: reference, file: nil)
        }
        let bytes: ByteBuffer
        do { bytes = try await answer.response.body.collect(upTo: Self.listLimit) } catch {
            throw HubError.connection(url: url.absoluteString, reason: "\(error)")
        }
        func malformed(_ reason: String) -> HubError { .malformed(url: url.absoluteString, reason: reason) }
        let document: JSONValue
        do {
            document = try JSONValue(
                parsing: Array(bytes.readableBytesView), named: url.absoluteString)
        } catch {
            throw malformed("\(error)")
        }
        guard let commit = document.objectValue?["sha"]?.stringValue, RepositoryReference.isCommit(commit),
            let siblings = document.objectValue?["siblings"]?.arrayValue
        else { throw malformed("the answer has no commit or no list of files") }
        return (commit, siblings.compactMap { $0.objectValue?["rfilename"]?.stringValue })
    }

    private func fetch(
        _ name: String, commit: String, of reference: RepositoryReference, _ connection: HubConnection,
        _ tally: Tally
    ) async throws {
        let id = reference.id
        if let known = cache.file(name, commit: commit, of: id) {
            let size =
                (try? FileManager.default.attributesOfItem(atPath: known.resolvingSymlinksInPath().path))?[
                    .size]
            tally.expect(size as? Int ?? 0)
            return tally.tell(name, size as? Int ?? 0)
        }
        let file = try await describe(name, commit: commit, reference, connection)
        tally.expect(file.byteCount ?? 0)
        guard let etag = file.etag else { return }
        let blob = cache.blob(etag, of: id)
        try await cache.withLock(etag, of: id) {
            if FileManager.default.fileExists(atPath: blob.path) {
                return tally.tell(name, file.byteCount ?? 0)
            }
            try await FileDownload(
                connection: connection, file: file,
                partial: cache.blob("\(etag).incomplete", of: id), target: blob
            ).run { tally.tell(name, $0) }
        }
        _ = try cache.link(name, commit: commit, of: id, to: etag)
    }

    /// Asks what a file is, without fetching it.
    private func describe(
        _ name: String, commit: String, _ reference: RepositoryReference, _ connection: HubConnection
    ) async throws -> RemoteFile {
        let path = name.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? name
        let url = try address("/\(reference.id)/resolve/\(commit)/\(path)")
        let answer = try await connection.send(.HEAD, url, redirects: .withinHost)
        guard (200..<400).contains(answer.response.status.code) else {
            throw connection.failure(answer, repository: reference, file: name)
        }
        func header(_ names: String...) throws(HubError) -> String {
            for name in names { if let value = answer.header(name) { return value } }
            throw .missingHeader(names[0], url: url.absoluteString)
        }
        guard try header("X-Repo-Commit") == commit else {
            throw HubError.malformed(
                url: url.absoluteString, reason: "it is of another commit than was asked for")
        }
        var etag = try header("X-Linked-Etag", "ETag")
        if etag.hasPrefix("W/") { etag.removeFirst(2) }
        etag = etag.trimmingCharacters(in: CharacterSet(charactersIn: "\""))
        guard [40, 64].contains(etag.utf8.count),
            etag.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { throw HubError.badETag(etag, url: url.absoluteString) }
        guard let size = Int(try header("X-Linked-Size", "Content-Length")), size >= 0 else {
            throw HubError.missingHeader("X-Linked-Size", url: url.absoluteString)
        }
        return RemoteFile(path: name, url: answer.url, etag: etag, byteCount: size)
    }

    private func address(_ path: String) throws(HubError) -> URL {
        var base = environment.endpoint.absoluteString
        while base.hasSuffix("/") { base.removeLast() }
        guard let url = URL(string: base + path) else {
            throw .malformed(url: base + path, reason: "this is no address")
        }
        return url
    }

    private func inParallel(_ names: [String], _ body: @escaping @Sendable (String) async throws -> Void)
        async throws
    {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var left = names[...]
            for _ in 0..<Self.parallelism {
                guard let name = left.popFirst() else { break }
                group.addTask { try await body(name) }
            }
            while try await group.next() != nil {
                if let name = left.popFirst() { group.addTask { try await body(name) } }
            }
        }
    }

    private func withConnection<T: Sendable>(_ body: (HubConnection) async throws -> T) async throws -> T {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: .seconds(30), read: .seconds(60))
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<T, any Error>
        do {
            result = .success(
                try await body(HubConnection(client: client, environment: environment, pause: pause)))
        } catch { result = .failure(error) }
        try? await client.shutdown()
        return try result.get()
    }
}

/// Adds up what has come of several files.
private final class Tally: Sendable {
    private let state = Mutex((counts: [String: Int](), total: 0))
    private let report: @Sendable (Hub.Progress) -> Void

    init(_ report: @escaping @Sendable (Hub.Progress) -> Void) { self.report = report }

    func expect(_ byteCount: Int) { state.withLock { $0.total += byteCount } }

    func tell(_ file: String, _ byteCount: Int) {
        let progress = state.withLock { state in
            state.counts[file] = byteCount
            return Hub.Progress(
                file: file, byteCount: state.counts.values.reduce(0, +), totalByteCount: state.total)
        }
        report(progress)
    }
}

extension HubConnection.Answer {
    /// The name that the answer itself gives its file, else the last part of where it came from.
    fileprivate var fileName: String? {
        let disposition = header("content-disposition") ?? ""
        for part in disposition.split(separator: ";") {
            let pair = part.split(separator: "=", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard pair.count == 2, pair[0].lowercased() == "filename" else { continue }
            let name = pair[1].trimmingCharacters(in: CharacterSet(charactersIn: "\""))
            if !name.isEmpty { return name }
        }
        return nil
    }
}
