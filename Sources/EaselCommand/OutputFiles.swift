import Easel
import Foundation
import Imaging

/// Where the pictures of a request are to be written.
struct OutputFiles {
    private let folder: URL
    /// The name of the one picture, without its ending, or nil where names follow from seeds.
    private let stem: String?
    private let ending: String
    private let isOne: Bool
    /// Whether pictures of one seed differ in something else, so that names have a number too.
    private let isNumbered: Bool

    /// Decides from what `--output` says: a file, or a folder for several; nothing is the current folder. A folder
    /// said to be one by a slash at its end is made where it is not there yet.
    ///
    /// - Parameter isOne: Whether there is one picture.
    /// - Throws: `ImageError` where nothing can be written there, found before the work starts.
    init(_ output: String?, isOne: Bool, isNumbered: Bool) throws {
        self.isOne = isOne
        self.isNumbered = isNumbered
        let path = URL(filePath: output ?? ".")
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder)
        if output == nil || output?.hasSuffix("/") == true || (exists && isFolder.boolValue) {
            folder = path
            if !exists { try Self.makeFolder(at: path) }
            stem = nil
            ending = "png"
        } else {
            folder = path.deletingLastPathComponent()
            ending = path.pathExtension.isEmpty ? "png" : path.pathExtension
            stem =
                path.pathExtension.isEmpty
                ? path.lastPathComponent : path.deletingPathExtension().lastPathComponent
        }
        try Image.checkWritable(at: file(seed: 0, index: 0))
    }

    private static func makeFolder(at path: URL) throws {
        guard mkdir(path.path, 0o777) != 0 else { return }
        let reason = String(cString: strerror(errno))
        throw ImageError.notWritable(path: path.path, reason: "the folder cannot be made: \(reason)")
    }

    /// The file of a picture. Several pictures under one name are told apart by a number.
    func file(seed: UInt64, index: Int) -> URL {
        let name =
            stem.map { isOne ? $0 : "\($0)-\(index + 1)" }
            ?? (isNumbered ? "easel-\(seed)-\(index + 1)" : "easel-\(seed)")
        return folder.appending(path: "\(name).\(ending)")
    }

    /// The file of pictures side by side.
    func gridFile(seed: UInt64, index: Int, of count: Int) -> URL {
        let name = "\(stem ?? "easel-\(seed)")-grid" + (count > 1 ? "-\(index + 1)" : "")
        return folder.appending(path: "\(name).\(ending)")
    }
}
