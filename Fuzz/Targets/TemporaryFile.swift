import Foundation

private let folder = FileManager.default.temporaryDirectory.path + "/easel-fuzz-\(getpid())-"

/// A file of this process that is written anew for each input.
///
/// - Parameters:
///   - name: What tells it from the process's others.
///   - byteCount: How long it is; zeros follow the bytes.
/// - Throws: ``Broken`` where it cannot be written.
func temporaryFile(_ name: String, _ bytes: [UInt8], byteCount: Int? = nil) throws(Broken) -> URL {
    let path = folder + name
    let file = open(path, O_WRONLY | O_CREAT, 0o600)
    defer { close(file) }
    guard file >= 0, bytes.withUnsafeBytes({ pwrite(file, $0.baseAddress, $0.count, 0) }) == bytes.count,
        ftruncate(file, byteCount ?? bytes.count) == 0
    else { throw Broken(description: "\(path): \(String(cString: strerror(errno)))") }
    return URL(filePath: path)
}
