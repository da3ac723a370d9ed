import Checkpoints
import Crypto
import Foundation
import NIOHTTP1

extension Hub {
    /// Fetches a file from any address into a folder.
    ///
    /// - Parameters:
    ///   - sha256: What its hash has to be, 64 digits; nil where nobody knows. A file that is there and has it is not
    ///     fetched again.
    /// - Returns: The file.
    /// - Throws: ``HubError``, `CancellationError`.
    public func pull(
        _ address: URL, to folder: URL, sha256: String? = nil,
        report: @escaping @Sendable (Progress) -> Void = { _ in }
    ) async throws -> URL {
        guard !environment.isOffline else { throw HubError.offline(address.shown) }
        return try await withConnection { connection in
            let headers = try await connection.headers(of: address)
            let name =
                headers.first(name: "content-disposition").flatMap { HubHeader.fileName(inDisposition: $0) }
                ?? address.lastPathComponent
            guard FileSelection.isSafe(name), name != "/" else {
                throw HubError.unsafeName(name, repository: address.shown)
            }
            try HubCache.writing(folder) {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            }
            let target = folder.appending(path: name)
            if let sha256, try FileDownload.hash(of: target) == sha256.lowercased() { return target }
            let size = headers.first(name: "content-length").flatMap { RemoteFile.size($0) }
            let tally = Tally(report)
            tally.expect(size ?? 0)
            // What came of another version of the file is no beginning of this one.
            let version = [
                address.absoluteString, headers.first(name: "etag") ?? "",
                headers.first(name: "last-modified") ?? "",
                size.map { "\($0)" } ?? "",
            ].joined(separator: "\n")
            let mark = SHA256.hash(data: Data(version.utf8)).hexadecimal.prefix(16)
            var download = FileDownload(
                connection: connection,
                file: RemoteFile(path: name, url: address, etag: nil, byteCount: size),
                partial: folder.appending(path: "\(name).\(mark).incomplete"), target: target)
            download.expectedHash = sha256
            download.goesOn = headers.first(name: "etag") ?? headers.first(name: "last-modified") != nil
            try await download.run { tally.tell(name, $0) }
            return target
        }
    }
}

extension HubConnection {
    /// What a server says of a file at any address; nothing of the file itself is read.
    fileprivate func headers(of address: URL) async throws -> HTTPHeaders {
        var answer = try await send(.HEAD, address, redirects: .anywhere)
        if !answer.isSuccess {
            // Some servers know GET alone, and some addresses are signed for it.
            answer = try await send(.GET, address, redirects: .anywhere)
        }
        guard answer.isSuccess else { throw failure(answer, repository: nil, file: nil) }
        return answer.response.headers
    }
}
