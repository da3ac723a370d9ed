import CMappedFile
import Foundation

/// A file that is written from its start, and has its name only when it is whole and on the disk.
final class NewFile {
    private let path: String
    private let output: UnfinishedOutput
    private var descriptor: Int32 { output.descriptor }

    /// - Throws: ``FileError/unwritable(path:reason:)``.
    init(at url: URL) throws(FileError) {
        path = url.path
        output = try UnfinishedOutput(of: url, isFolder: false)
    }

    /// - Throws: ``FileError/unwritable(path:reason:)``.
    func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let count = Foundation.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure() }
            written += count
        }
    }

    /// Gives the file its name.
    ///
    /// - Throws: ``FileError/unwritable(path:reason:)``.
    func finish() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw failure() }
        try output.finish()
    }

    private func failure() -> FileError { .unwritable(path: path, reason: String(cString: strerror(errno))) }
}
