import Foundation

extension HubCache {
    /// Removes a snapshot or a file of one, and the blobs that no other snapshot has; of what is empty then nothing is left.
    ///
    /// - Parameter target: A path in the cache, of a snapshot's folder or below.
    /// - Throws: ``HubError/unwritable(path:reason:)``.
    func remove(_ target: URL) throws(HubError) {
        let below = target.path.dropFirst(root.path.count + 1).split(separator: "/")
        guard target.path.hasPrefix(root.path + "/"), below.count >= 3, below[1] == "snapshots" else {
            throw .unwritable(path: target.path, reason: "it is no snapshot of the cache")
        }
        let repository = root.appending(path: String(below[0]))
        let snapshot = repository.appending(path: "snapshots/\(below[2])")
        try Self.writing(target) {
            let manager = FileManager.default
            try manager.removeItem(at: target)
            if links(below: snapshot).isEmpty {
                try? manager.removeItem(at: snapshot)
                try? manager.removeItem(at: repository.appending(path: "trees/\(below[2]).json"))
                for reference in files(below: repository.appending(path: "refs")) {
                    let commit = try? String(contentsOf: reference, encoding: .utf8)
                    if commit == String(below[2]) { try manager.removeItem(at: reference) }
                }
            }
            let left = links(below: repository.appending(path: "snapshots"))
            if left.isEmpty {
                try manager.removeItem(at: repository)
                try? manager.removeItem(at: root.appending(path: ".locks/\(below[0])"))
                return
            }
            let used = Set(left.map { ($0 as NSString).lastPathComponent })
            for blob in files(below: repository.appending(path: "blobs"))
            where !used.contains(blob.lastPathComponent) {
                try manager.removeItem(at: blob)
            }
        }
    }

    /// Removes all of a repository.
    ///
    /// - Returns: Whether there was anything.
    /// - Throws: ``HubError/unwritable(path:reason:)``.
    func removeRepository(_ id: String) throws(HubError) -> Bool {
        let repository = folder(id)
        guard FileManager.default.fileExists(atPath: repository.path) else { return false }
        try Self.writing(repository) { try FileManager.default.removeItem(at: repository) }
        try? FileManager.default.removeItem(
            at: root.appending(path: ".locks/" + repository.lastPathComponent))
        return true
    }

    /// What the links in a folder lead to; a file that is no link counts by its own name.
    private func links(below folder: URL) -> [String] {
        files(below: folder).map { file in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: file.path)) ?? file.path
        }
    }

    private func files(below folder: URL) -> [URL] {
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return names.map { folder.appending(path: $0) }.filter { file in
            let type =
                try? FileManager.default.attributesOfItem(atPath: file.path)[.type] as? FileAttributeType
            return type != .typeDirectory
        }
    }
}
