import Foundation

/// A file that is being fetched. While it is open, no other program that asks first writes to it.
final class PartialFile: Sendable {
    private let path: String
    private let descriptor: Int32

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    /// - Throws: ``HubError/unwritable(path:reason:)``.
    init(reading url: URL) throws(HubError) {
        path = url.path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    deinit { close(descriptor) }

    /// Opens what is there of a file, or begins it, once no other program fetches the same.
    ///
    /// - Parameter isThere: Asked after another program was waited for: whether the whole file is where it will be.
    /// - Returns: Nil where another program has put the file there meanwhile.
    static func opened(_ url: URL, unless isThere: () -> Bool) async throws -> PartialFile? {
        var hasWaited = false
        while true {
            // A link could lead to a file that is another's.
            let descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
            guard descriptor >= 0 else { throw failure(url.path) }
            let file = PartialFile(path: url.path, descriptor: descriptor)
            while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                // A file system without locks: whole files appear by their renaming all the same.
                guard errno == EWOULDBLOCK || errno == EINTR else { return file }
                hasWaited = true
                try await Task.sleep(for: .milliseconds(200))
            }
            if file.hasItsName {
                guard hasWaited, file.byteCount == 0, isThere() else { return file }
                file.remove()
                return nil
            }
        }
    }

    /// Whether the path leads to this file, which another program may have finished and renamed.
    private var hasItsName: Bool {
        var (named, own) = (stat(), stat())
        return stat(path, &named) == 0 && fstat(descriptor, &own) == 0 && named.st_ino == own.st_ino
            && named.st_dev == own.st_dev
    }

    var byteCount: Int { max(0, Int(lseek(descriptor, 0, SEEK_END))) }

    /// Leaves the first bytes alone.
    func cut(to byteCount: Int) throws(HubError) {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw Self.failure(path) }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(HubError) {
        lseek(descriptor, 0, SEEK_END)
        var written = 0
        while written < bytes.count {
            let count = write(descriptor, bytes.baseAddress! + written, bytes.count - written)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(path) }
            written += count
        }
    }

    /// Reads the first bytes.
    func read(_ byteCount: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws(HubError) {
        var buffer = [UInt8](repeating: 0, count: min(byteCount, 1 << 20))
        var offset = 0
        while offset < byteCount {
            let count = buffer.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress, min(byteCount - offset, $0.count), off_t(offset))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(path) }
            buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            offset += count
        }
    }

    /// Gives the file its name, once its bytes are on the disk.
    func publish(at target: URL) throws(HubError) {
        guard fsync(descriptor) == 0, rename(path, target.path) == 0 else { throw Self.failure(path) }
    }

    func remove() { unlink(path) }

    /// What has no byte yet is nothing to go on with.
    func removeIfEmpty() { if byteCount == 0, hasItsName { remove() } }

    private static func failure(_ path: String) -> HubError {
        .unwritable(path: path, reason: String(cString: strerror(errno)))
    }
}
