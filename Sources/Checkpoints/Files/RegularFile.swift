import Foundation

/// An open file that is a regular one, with its size and identity as they were when it was opened.
///
/// Opening never waits: a named pipe or a device is refused. Closed when released.
final class RegularFile: Sendable {
    /// What tells a file from the one that later has its name, or from itself after a write.
    struct Identity: Hashable, Sendable {
        let device: UInt64
        let inode: UInt64
        let byteCount: Int
        let modifiedSeconds: Int
        let modifiedNanoseconds: Int
    }

    let path: String
    let descriptor: Int32
    let identity: Identity

    var byteCount: Int { identity.byteCount }

    /// - Throws: ``FileError``.
    init(opening path: String) throws(FileError) {
        // Opening a device can have effects, so its kind is asked first; asked again on what was opened.
        var status = stat()
        if stat(path, &status) != 0 { throw Self.openError(errno, path) }
        try Self.checkKind(status, path)
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.openError(errno, path) }
        do throws(FileError) {
            guard fstat(descriptor, &status) == 0 else { throw Self.openError(errno, path) }
            try Self.checkKind(status, path)
        } catch {
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
        identity = Identity(status)
    }

    deinit { close(descriptor) }

    /// Throws unless the path still leads to this file, of the same size and not written to since.
    func checkUnchanged() throws(FileError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Self.openError(errno, path) }
        let now = Identity(status)
        if now != identity { throw .changed(path: path, expected: byteCount, actual: now.byteCount) }
        try checkStillWhole()
    }

    /// Throws where the opened file, wherever its path leads now, has been cut short or written to.
    func checkStillWhole() throws(FileError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.openError(errno, path) }
        let now = Identity(status)
        if now.byteCount < byteCount {
            throw .shortened(path: path, expected: byteCount, actual: now.byteCount)
        }
        if now != identity { throw .changed(path: path, expected: byteCount, actual: now.byteCount) }
    }

    /// Reads exactly so many bytes.
    ///
    /// - Throws: ``FileError``, ``FileError/shortened(path:expected:actual:)`` where they are not there.
    func read(byteCount: Int, at offset: Int) throws(FileError) -> [UInt8] {
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
            while initialized < byteCount {
                let count = pread(
                    descriptor, buffer.baseAddress! + initialized, byteCount - initialized,
                    off_t(offset + initialized))
                if count < 0, errno == EINTR { continue }
                if count < 0 {
                    failure = .readFailed(
                        path: path, offset: offset + initialized, reason: String(cString: strerror(errno)))
                    return
                }
                if count == 0 {
                    failure = .shortened(
                        path: path, expected: self.byteCount, actual: offset + initialized)
                    return
                }
                initialized += count
            }
        }
        if let failure { throw failure }
        return bytes
    }

    private static func openError(_ code: Int32, _ path: String) -> FileError {
        switch code {
        case ENOENT, ENOTDIR: .missing(path: path)
        default: .unreadable(path: path, reason: String(cString: strerror(code)))
        }
    }

    private static func checkKind(_ status: stat, _ path: String) throws(FileError) {
        let kind: FileError.Kind
        switch status.st_mode & S_IFMT {
        case S_IFREG: return
        case S_IFDIR: kind = .folder
        case S_IFIFO: kind = .pipe
        case S_IFSOCK: kind = .socket
        case S_IFCHR, S_IFBLK: kind = .device
        default: kind = .other
        }
        throw .notRegular(path: path, kind: kind)
    }
}

extension RegularFile.Identity {
    init(_ status: stat) {
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(status.st_ino)
        byteCount = Int(status.st_size)
        #if canImport(Darwin)
            modifiedSeconds = status.st_mtimespec.tv_sec
            modifiedNanoseconds = status.st_mtimespec.tv_nsec
        #else
            modifiedSeconds = status.st_mtim.tv_sec
            modifiedNanoseconds = status.st_mtim.tv_nsec
        #endif
    }
}
