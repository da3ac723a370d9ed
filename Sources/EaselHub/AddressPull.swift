import Checkpoints
import Crypto
import Foundation

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
            let answer = try await connection.send(.HEAD, address, redirects: .anywhere)
            // Some servers know GET alone.
            let isKnown = (200..<300).contains(answer.response.status.code)
            func header(_ name: String) -> String? { isKnown ? answer.header(name) : nil }
            let name =
                header("content-disposition").flatMap { HubHeader.fileName(inDisposition: $0) }
                ?? address.lastPathComponent
            guard FileSelection.isSafe(name), name != "/" else {
                throw HubError.unsafeName(name, repository: address.shown)
            }
            try HubCache.writing(folder) {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            }
            let target = folder.appending(path: name)
            if let sha256, try FileDownload.hash(of: target) == sha256.lowercased() { return target }
            let size = header("content-length").flatMap { RemoteFile.size($0) }
            let tally = Tally(report)
            tally.expect(size ?? 0)
            // What came of another version of the file is no beginning of this one.
            let version = [
                address.absoluteString, header("etag") ?? "", header("last-modified") ?? "",
                size.map { "\($0)" } ?? "",
            ].joined(separator: "\n")
            let mark = SHA256.hash(data: Data(version.utf8)).hexadecimal.prefix(16)
            var download = FileDownload(
                connection: connection,
                file: RemoteFile(path: name, url: address, etag: nil, byteCount: size),
                partial: folder.appending(path: "\(name).\(mark).incomplete"), target: target)
            download.expectedHash = sha256
            download.goesOn = header("etag") ?? header("last-modified") != nil
            try await download.run { tally.tell(name, $0) }
            return target
        }
    }
}
