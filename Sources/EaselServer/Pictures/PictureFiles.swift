import Checkpoints
import Crypto
import Foundation
import Imaging

/// A folder of files that are named by the hash of their bytes, so that a file is whole or not there, and the same bytes
/// are there once.
struct PictureFiles: Sendable {
    let folder: URL
    /// With the dot left out.
    let ending: String

    /// - Throws: `CocoaError` where the folder cannot be made.
    init(_ folder: URL, ending: String) throws {
        self.folder = folder
        self.ending = ending
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Whether a text is a name that files here have: nothing else from a request becomes a path.
    static func isIdentifier(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    static func identifier(of bytes: Data) -> String {
        SHA256.hash(data: bytes).hexadecimal
    }

    /// Keeps bytes; when this returns they are on the disk.
    ///
    /// - Returns: Their hash.
    /// - Throws: `ImageError` or `CocoaError` where they cannot be written; nothing is then left behind.
    func save(_ bytes: Data) throws -> String {
        let id = Self.identifier(of: bytes)
        try save(bytes, as: id)
        return id
    }

    /// Keeps bytes under the name of others that they are made from.
    func save(_ bytes: Data, as id: String) throws {
        let file = file(id)
        guard !FileManager.default.fileExists(atPath: file.path) else { return }
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        do {
            try replaceFile(at: file, with: bytes)
        } catch {
            // One whose name is perhaps not on the disk would be taken for kept the next time.
            remove(id)
            throw error
        }
    }

    /// - Returns: Nil where there is none.
    /// - Throws: `FileError` where it cannot be read, which says at which byte.
    func bytes(of id: String) throws -> Data? {
        guard Self.isIdentifier(id) else { return nil }
        do throws(FileError) {
            return Data(try [UInt8](contentsOf: file(id), limit: .max))
        } catch .missing {
            return nil
        }
    }

    /// Takes a file off the disk; when this returns, no end of the process brings it back.
    ///
    /// - Throws: `ImageError` where it stays.
    func delete(_ id: String) throws {
        guard Self.isIdentifier(id) else { return }
        let path = file(id).path
        guard unlink(path) == 0 || errno == ENOENT else {
            throw ImageError.notWritable(path: path, reason: String(cString: strerror(errno)))
        }
        // A file system without this has the name no longer all the same.
        let folder = open(file(id).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    /// Takes a file off the disk that may as well stay.
    func remove(_ id: String) {
        guard Self.isIdentifier(id) else { return }
        try? FileManager.default.removeItem(at: file(id))
    }

    /// The hashes of all files, and what an end of the process has left half written, which is removed.
    func identifiers() -> [String] {
        let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        var identifiers: [String] = []
        for case let file as URL in found ?? .init() {
            if file.pathExtension == "tmp" {
                try? FileManager.default.removeItem(at: file)
            } else if file.pathExtension == ending {
                identifiers.append(file.deletingPathExtension().lastPathComponent)
            }
        }
        return identifiers.filter(Self.isIdentifier)
    }

    /// Folders of one of 256 names, so that none grows large.
    private func file(_ id: String) -> URL {
        folder.appending(path: id.prefix(2)).appending(path: "\(id).\(ending)")
    }
}
