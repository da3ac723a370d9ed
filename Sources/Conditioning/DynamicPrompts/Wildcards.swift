import Checkpoints
import Foundation

/// A folder of text files that prompts take lines from: `__animals/cats__` is a line of `animals/cats.txt`.
///
/// Empty lines and those that begin with `#` are not taken. `*` and `?` in a name stand for any letters and any one.
public struct Wildcards: Sendable, Hashable {
    public let folder: URL

    /// The most bytes that a file may have.
    private static let maximumByteCount = 16 << 20

    public init(folder: URL) { self.folder = folder }

    /// The names that there are, in order; links to files and folders among them.
    public var names: [String] {
        let root = folder.standardizedFileURL
        let start = root.path + "/"
        return root.filesBelow().filter { $0.pathExtension == "txt" }
            .map { $0.deletingPathExtension().path }
            .compactMap { $0.hasPrefix(start) ? String($0.dropFirst(start.count)) : nil }
            .sorted()
    }

    /// The lines of a name's file, or of the files whose names it stands for; at least one.
    ///
    /// - Throws: ``DynamicPromptError``, `FileError`.
    func lines(named name: String) throws -> [String] {
        let known = names
        let found =
            name.contains { $0 == "*" || $0 == "?" }
            ? known.filter { fnmatch(name, $0, 0) == 0 } : known.filter { $0 == name }
        guard !found.isEmpty else {
            throw DynamicPromptError.unknownWildcard(name: name, folder: folder.path, known: known)
        }
        let all = try found.flatMap { try taken(from: folder.appending(path: $0 + ".txt")) }
        guard !all.isEmpty else {
            throw DynamicPromptError.emptyWildcard(name: name, folder: folder.path)
        }
        return all
    }

    private func taken(from file: URL) throws -> [String] {
        let bytes = try [UInt8](contentsOf: file, limit: Self.maximumByteCount)
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }
}
