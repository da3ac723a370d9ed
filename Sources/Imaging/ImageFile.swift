import Foundation

extension Image {
    /// Checks that a picture can be written to the file, without leaving anything there.
    ///
    /// - Throws: ``ImageError`` with what is in the way.
    public static func checkWritable(at file: URL) throws {
        let folder = file.deletingLastPathComponent()
        _ = try PictureFormat(ofFileAt: file)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue
        else { throw ImageError.noFolder(path: folder.path) }
        if FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder), isFolder.boolValue {
            throw ImageError.isFolder(path: file.path)
        }
        // What the system would say is only known by trying, also where the user may do everything.
        let (descriptor, path) = try openTemporary(for: file)
        close(descriptor)
        unlink(path)
    }
}

/// Writes bytes beside the file under a temporary name, and takes the file's name when they are on the disk, as is then the
/// name.
///
/// - Throws: ``ImageError/notWritable(path:reason:)``; nothing is then left behind.
public func replaceFile(at file: URL, with bytes: Data) throws {
    let (descriptor, temporary) = try openTemporary(for: file)
    func fail() -> ImageError {
        let reason = String(cString: strerror(errno))
        unlink(temporary)
        return .notWritable(path: file.path, reason: reason)
    }
    let failure: ImageError? = bytes.withUnsafeBytes { buffer in
        var written = 0
        while written < buffer.count {
            let count = Foundation.write(
                descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return fail() }
            written += count
        }
        return fsync(descriptor) == 0 ? nil : fail()
    }
    guard close(descriptor) == 0 || failure != nil else { throw fail() }
    if let failure { throw failure }
    guard rename(temporary, file.path) == 0 else { throw fail() }
    // A folder that cannot be opened, or a file system without this, has the name all the same.
    let folder = open(file.deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { return }
    defer { close(folder) }
    if fsync(folder) != 0, errno == EIO {
        throw ImageError.notWritable(path: file.path, reason: String(cString: strerror(errno)))
    }
}

/// Makes a new file beside the one that is to be written.
private func openTemporary(for file: URL) throws -> (descriptor: Int32, path: String) {
    let name = ".easel-\(UInt64.random(in: 0...UInt64.max)).tmp"
    let path = file.deletingLastPathComponent().appending(path: name).path
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
        throw ImageError.notWritable(path: file.path, reason: String(cString: strerror(errno)))
    }
    return (descriptor, path)
}
