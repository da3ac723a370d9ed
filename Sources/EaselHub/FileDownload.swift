import AsyncHTTPClient
import Checkpoints
import Foundation
import NIOCore

/// Fetches a file to a place, going on where an earlier attempt ended; it has its name only when its hash is right.
struct FileDownload: Sendable {
    let connection: HubConnection
    let file: RemoteFile
    /// Where the bytes gather.
    let partial: URL
    let target: URL
    /// What the whole file's SHA-256 has to be, where someone said so.
    var expectedHash: String?
    /// The repository that it is of; nil for a file from elsewhere.
    var repository: RepositoryReference?
    /// Whether what came at an earlier run is the beginning of the same file.
    var goesOn = true

    /// Connections may break so often without much coming between.
    private static let interruptionLimit = 5
    private static let progress = 1 << 20

    /// - Parameter report: Told how many bytes there are.
    /// - Throws: ``HubError``.
    func run(report: @Sendable (Int) -> Void) async throws {
        guard let output = try await PartialFile.opened(partial, unless: { isThere }) else {
            return report(file.byteCount ?? 0)
        }
        if !goesOn { try output.cut(to: 0) }
        defer { output.removeIfEmpty() }
        var (interruptions, before) = (0, output.byteCount)
        while true {
            do {
                return try await attempt(output, report)
            } catch let error as HubError {
                // A connection that breaks is taken up again where it broke.
                guard case .connection = error else { throw error }
                let count = output.byteCount
                interruptions = count - before >= Self.progress ? 1 : interruptions + 1
                before = count
                guard interruptions <= Self.interruptionLimit else { throw error }
                try await Task.sleep(for: connection.pause * (1 << (interruptions - 1)))
            }
        }
    }

    /// Whether the file has its name already; with the hash that it has to have, where someone said so.
    private var isThere: Bool {
        guard let expectedHash else { return FileManager.default.fileExists(atPath: target.path) }
        return (try? Self.hash(of: target)) == expectedHash.lowercased()
    }

    private func attempt(_ output: PartialFile, _ report: @Sendable (Int) -> Void) async throws {
        var start = output.byteCount
        if let size = file.byteCount, start > size { start = 0 }
        let answer = start > 0 && start == file.byteCount ? nil : try await request(from: &start)
        try output.cut(to: start)
        let announced = answer?.header("content-length").flatMap { RemoteFile.size($0) }.map { $0 + start }
        let expected = file.byteCount ?? announced
        var hash = RunningHash(for: file.etag, byteCount: expected ?? 0)
        try output.read(start) { hash.update($0) }
        report(start)
        if let answer {
            do {
                for try await buffer in answer.response.body {
                    try Task.checkCancellation()
                    try buffer.withUnsafeReadableBytes { bytes in
                        try output.append(bytes)
                        hash.update(bytes)
                    }
                    if let expected, output.byteCount > expected { break }
                    report(output.byteCount)
                }
            } catch let error as HubError {
                throw error
            } catch {
                if Task.isCancelled { throw CancellationError() }
                throw HubError.connection(url: file.url.shown, reason: "\(error)")
            }
        }
        try check(output, expected: expected, hash)
        try output.publish(at: target)
    }

    /// The answer with the bytes from `start` on, which becomes 0 where the server gives the whole file.
    private func request(from start: inout Int) async throws -> HubConnection.Answer {
        // A connection that fails is taken up again by whoever runs this.
        var answer = try await connection.send(
            .GET, file.url, redirects: .anywhere, range: start, isRepeated: false)
        let range = answer.header("content-range").flatMap { HubHeader.range($0) }
        let isOther =
            answer.response.status == .partialContent
            && (range?.start != start || range?.size ?? file.byteCount != file.byteCount)
        // A range that cannot be had, or another one: from the beginning, once.
        if start > 0, isOther || answer.response.status == .rangeNotSatisfiable {
            start = 0
            answer = try await connection.send(
                .GET, file.url, redirects: .anywhere, range: 0, isRepeated: false)
        }
        switch answer.response.status {
        case .ok: start = 0
        case .partialContent where start > 0: break
        default: throw connection.failure(answer, repository: repository, file: file.path)
        }
        let type = answer.header("content-type")?.lowercased() ?? ""
        if file.etag == nil, type.hasPrefix("text/html") {
            throw HubError.webPage(url: answer.url.shown)
        }
        return answer
    }

    /// Holds what came to what was said; wrong bytes are not kept.
    private func check(_ output: PartialFile, expected: Int?, _ hash: RunningHash) throws(HubError) {
        let count = output.byteCount
        if let expected, count != expected {
            // Bytes that are missing may yet come; too many are no beginning of the file.
            guard count > expected else {
                throw .connection(
                    url: file.url.shown,
                    reason: "the connection ended after \(count) of \(expected) bytes")
            }
            output.remove()
            throw .wrongSize(file: file.path, expected: expected, actual: count)
        }
        if file.etag == nil, expectedHash == nil {
            var start: [UInt8] = []
            try output.read(min(count, PlainText.byteCount)) { start += $0 }
            let url = file.url.shown
            if let error = DownloadedText.refusal(start, url: url)
                ?? DownloadedTensors.refusal(partial, named: file.path, url: url)
            {
                output.remove()
                throw error
            }
        }
        for wanted in [file.etag, expectedHash].compactMap(\.self) {
            let actual = hash.digits
            guard actual == wanted.lowercased() else {
                output.remove()
                throw .wrongHash(file: file.path, expected: wanted, actual: actual)
            }
        }
    }

    /// The SHA-256 of a file; nil where there is none.
    static func hash(of file: URL) throws(HubError) -> String? {
        guard let output = try? PartialFile(reading: file) else { return nil }
        var hash = RunningHash(for: nil, byteCount: 0)
        try output.read(output.byteCount) { hash.update($0) }
        return hash.digits
    }
}
