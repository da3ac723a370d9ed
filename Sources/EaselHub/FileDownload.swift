import AsyncHTTPClient
import Crypto
import Foundation
import NIOCore

/// What is known of a file before it comes.
struct RemoteFile: Sendable {
    let path: String
    let url: URL
    /// The SHA-256, or for small files the hash that Git keeps it by; nil for files from elsewhere.
    let etag: String?
    let byteCount: Int?
}

/// The hash of a file that comes piece by piece.
struct RunningHash {
    private var sha256 = SHA256()
    private var git: Insecure.SHA1?

    /// - Parameters:
    ///   - etag: What the hash will be compared with; of 40 digits, it is Git's.
    ///   - byteCount: Git hashes a file's size before its bytes.
    init(for etag: String?, byteCount: Int) {
        guard etag?.utf8.count == 40 else { return }
        var git = Insecure.SHA1()
        git.update(data: Data("blob \(byteCount)\0".utf8))
        self.git = git
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if git == nil { sha256.update(bufferPointer: bytes) } else { git?.update(bufferPointer: bytes) }
    }

    var digits: String {
        func hexadecimal(_ digest: some Sequence<UInt8>) -> String {
            digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        return git.map { hexadecimal($0.finalize()) } ?? hexadecimal(sha256.finalize())
    }
}

/// Fetches a file to a place, going on where an earlier attempt ended; it has its name only when its hash is right.
struct FileDownload: Sendable {
    let connection: HubConnection
    let file: RemoteFile
    /// Where the bytes gather.
    let partial: URL
    let target: URL
    /// What the whole file's SHA-256 has to be, where someone said so.
    var expectedHash: String?

    /// - Parameter report: Told how many bytes there are.
    /// - Throws: ``HubError``.
    func run(report: @Sendable (Int) -> Void) async throws {
        var interruptions = 0
        while true {
            do {
                try await attempt(report)
                return
            } catch let error as HubError {
                // A connection that breaks is taken up again where it broke.
                guard case .connection = error, interruptions < 5 else { throw error }
                interruptions += 1
                try await Task.sleep(for: connection.pause)
            }
        }
    }

    private func attempt(_ report: @Sendable (Int) -> Void) async throws {
        let descriptor = open(partial.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw HubError.unwritable(path: partial.path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var start = Int(lseek(descriptor, 0, SEEK_END))
        if let size = file.byteCount, start > size { start = 0 }
        var isWhole = start > 0 && start == file.byteCount
        var answer: HubConnection.Answer?
        if !isWhole {
            answer = try await request(from: start)
            // A range that cannot be had: from the beginning, once.
            if answer?.response.status == .rangeNotSatisfiable {
                start = 0
                answer = try await request(from: 0)
            }
            let status = answer?.response.status
            guard status == .ok || status == .partialContent else {
                throw connection.failure(answer!, repository: nil, file: file.path)
            }
            if status == .ok { start = 0 }
        }
        guard ftruncate(descriptor, off_t(start)) == 0 else { throw unwritable() }
        let announced = answer?.header("content-length").flatMap { Int($0) }.map { $0 + start }
        let size = file.byteCount ?? announced ?? 0
        var hash = RunningHash(for: file.etag, byteCount: size)
        try rehash(descriptor, count: start, &hash)
        var count = start
        report(count)
        if let answer {
            lseek(descriptor, off_t(start), SEEK_SET)
            do {
                for try await buffer in answer.response.body {
                    try Task.checkCancellation()
                    try buffer.withUnsafeReadableBytes { bytes in
                        try write(bytes, descriptor)
                        hash.update(bytes)
                    }
                    count += buffer.readableBytes
                    if let limit = file.byteCount, count > limit { break }
                    report(count)
                }
            } catch let error as HubError {
                throw error
            } catch {
                if Task.isCancelled { throw CancellationError() }
                throw HubError.connection(url: file.url.absoluteString, reason: "\(error)")
            }
        }
        if let expected = file.byteCount ?? announced, count != expected {
            // Bytes that are missing may yet come; too many are no beginning of the file.
            if count > expected { unlink(partial.path) }
            throw count < expected
                ? HubError.connection(
                    url: file.url.absoluteString,
                    reason: "the connection ended after \(count) of \(expected) bytes")
                : HubError.wrongSize(file: file.path, expected: expected, actual: count)
        }
        isWhole = true
        for expected in [file.etag, expectedHash].compactMap(\.self) {
            let actual = hash.digits
            guard actual == expected.lowercased() else {
                unlink(partial.path)
                throw HubError.wrongHash(file: file.path, expected: expected, actual: actual)
            }
        }
        guard fsync(descriptor) == 0, rename(partial.path, target.path) == 0 else { throw unwritable() }
    }

    private func request(from start: Int) async throws -> HubConnection.Answer {
        try await connection.send(.GET, file.url, redirects: .anywhere, range: start)
    }

    /// Reads what is there already.
    private func rehash(_ descriptor: Int32, count: Int, _ hash: inout RunningHash) throws {
        lseek(descriptor, 0, SEEK_SET)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var left = count
        while left > 0 {
            let read = buffer.withUnsafeMutableBytes {
                Foundation.read(descriptor, $0.baseAddress, min(left, $0.count))
            }
            if read < 0, errno == EINTR { continue }
            guard read > 0 else { throw unwritable() }
            buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<read])) }
            left -= read
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, _ descriptor: Int32) throws(HubError) {
        var written = 0
        while written < bytes.count {
            let count = Foundation.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw unwritable() }
            written += count
        }
    }

    private func unwritable() -> HubError {
        .unwritable(path: partial.path, reason: String(cString: strerror(errno)))
    }
}
