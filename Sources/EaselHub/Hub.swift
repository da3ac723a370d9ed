import AsyncHTTPClient
import Checkpoints
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
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
    /// - Throws: ``HubError``, `ModelFolderError` for a component without weights, `CancellationError`.
    public func pull(
        _ reference: RepositoryReference, files: [String] = [], variant: String? = nil,
        report: @escaping @Sendable (Progress) -> Void = { _ in }
    ) async throws -> URL {
        if environment.isOffline { return try known(reference, files, variant: variant) }
        if reference.isCommit, !files.isEmpty, let known = try? known(reference, files) { return known }
        return try await withConnection { connection in
            let listing = try await list(reference, connection)
            let (commit, id) = (listing.commit, reference.id)
            let selection = try FileSelection(listing.names, of: id)
            let wanted = try files.isEmpty ? selection.model(variant: variant) : selection.named(files)
            let tally = Tally(report)
            let missing = wanted.filter { name in
                guard let size = cache.byteCount(name, commit: commit, of: id) else { return true }
                tally.expect(size)
                tally.tell(name, size)
                return false
            }
            if !missing.isEmpty { try cache.prepare(id) }
            // Sizes first, so that it is known how much there is to come.
            let remote = try await inParallel(missing) { name in
                let file = try await describe(name, commit: commit, reference, connection)
                tally.expect(file.byteCount ?? 0)
                return file
            }
            // A model is there once its index is.
            let (index, others) = (
                remote.filter { $0.path == ModelStore.index }, remote.filter { $0.path != ModelStore.index }
            )
            for files in [others, index] {
                _ = try await inParallel(files) { file in
                    try await fetch(file, commit: commit, of: reference, connection, tally)
                }
            }
            try cache.keep(commit, for: reference)
            let isOneFile = wanted.count == 1 && wanted[0] != ModelStore.index
            let snapshot = cache.snapshot(commit, of: id)
            return isOneFile ? snapshot.appending(path: wanted[0]) : snapshot
        }
    }

    // MARK: Steps

    /// What is in the cache already.
    private func known(_ reference: RepositoryReference, _ files: [String], variant: String? = nil)
        throws(HubError) -> URL
    {
        guard let commit = cache.commit(of: reference) else { throw .offline(reference.description) }
        for file in files where !FileSelection.isSafe(file) {
            throw .noFile(file, repository: reference.id)
        }
        let snapshot = cache.snapshot(commit, of: reference.id)
        if files.isEmpty, cache.file(ModelStore.index, commit: commit, of: reference.id) == nil {
            let weights = weightFiles(of: snapshot, reference)
            if variant == nil, weights.count == 1 { return snapshot.appending(path: weights[0]) }
            throw .offline("\(reference)/\(ModelStore.index)", known: weights)
        }
        for file in files where cache.file(file, commit: commit, of: reference.id) == nil {
            throw .offline("\(reference)/\(file)")
        }
        if files.isEmpty, let missing = HubCache.missingPart(of: snapshot, variant: variant) {
            throw .offline("\(reference): \(missing)")
        }
        return files.count == 1 ? snapshot.appending(path: files[0]) : snapshot
    }

    /// The files of weights that a snapshot has beside its folders.
    private func weightFiles(of snapshot: URL, _ reference: RepositoryReference) -> [String] {
        let names = snapshot.folderContents.filter { FileManager.default.fileExists(atPath: $0.path) }
            .map(\.lastPathComponent)
        return (try? FileSelection(names, of: reference.id).weights) ?? []
    }

    /// A revision's commit and the names of its files.
    private func list(_ reference: RepositoryReference, _ connection: HubConnection) async throws
        -> RevisionListing
    {
        let revision = reference.revision.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let url = try address("/api/models/\(reference.id)/revision/\(revision)")
        let answer = try await connection.send(.GET, url, redirects: .withinHost)
        guard answer.response.status == .ok else {
            throw connection.failure(answer, repository: reference, file: nil)
        }
        let bytes: ByteBuffer
        do {
            bytes = try await answer.response.body.collect(upTo: Self.listLimit)
        } catch is NIOTooManyBytesError {
            throw HubError.malformed(
                url: url.shown, reason: "the list of files has more than \(Self.listLimit) bytes")
        } catch {
            throw HubError.connection(url: url.shown, reason: "\(error)")
        }
        return try RevisionListing(parsing: Array(bytes.readableBytesView), url: url.shown)
    }

    private func fetch(
        _ file: RemoteFile, commit: String, of reference: RepositoryReference,
        _ connection: HubConnection, _ tally: Tally
    ) async throws {
        guard let etag = file.etag else { return }
        let id = reference.id
        let blob = cache.blob(etag, of: id)
        try await cache.withLock(etag, of: id) {
            if FileManager.default.fileExists(atPath: blob.path) {
                return tally.tell(file.path, file.byteCount ?? 0)
            }
            var download = FileDownload(
                connection: connection, file: file,
                partial: cache.blob("\(etag).incomplete", of: id), target: blob)
            download.repository = reference
            try await download.run { tally.tell(file.path, $0) }
        }
        _ = try cache.link(file.path, commit: commit, of: id, to: etag)
    }

    /// Asks what a file is, without fetching it.
    private func describe(
        _ name: String, commit: String, _ reference: RepositoryReference, _ connection: HubConnection
    ) async throws -> RemoteFile {
        let path = name.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? name
        let url = try address("/\(reference.id)/resolve/\(commit)/\(path)")
        let answer = try await connection.send(.HEAD, url, redirects: .relative)
        guard (200..<400).contains(answer.response.status.code) else {
            throw connection.failure(answer, repository: reference, file: name)
        }
        return try RemoteFile(path: name, url: answer.url, commit: commit) { answer.header($0) }
    }

    private func address(_ path: String) throws(HubError) -> URL {
        var base = environment.endpoint.absoluteString
        while base.hasSuffix("/") { base.removeLast() }
        guard let url = URL(string: base + path), url.fault == nil else { throw .endpoint(base) }
        return url
    }

    private func inParallel<Input: Sendable, Output: Sendable>(
        _ inputs: [Input], _ body: @escaping @Sendable (Input) async throws -> Output
    ) async throws -> [Output] {
        try await withThrowingTaskGroup(of: Output.self) { group in
            var left = inputs[...]
            var outputs: [Output] = []
            for _ in 0..<Self.parallelism {
                guard let input = left.popFirst() else { break }
                group.addTask { try await body(input) }
            }
            while let output = try await group.next() {
                outputs.append(output)
                if let input = left.popFirst() { group.addTask { try await body(input) } }
            }
            return outputs
        }
    }

    func withConnection<T: Sendable>(_ body: (HubConnection) async throws -> T) async throws -> T {
        if let wrong = environment.wrongEndpoint { throw HubError.endpoint(wrong) }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        // Failed connections are tried again here, with pauses.
        configuration.connectionPool.retryConnectionEstablishment = false
        if let certificates = environment.certificates {
            var encryption = TLSConfiguration.makeClientConfiguration()
            encryption.trustRoots = .file(certificates.path)
            configuration.tlsConfiguration = encryption
        }
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
final class Tally: Sendable {
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
