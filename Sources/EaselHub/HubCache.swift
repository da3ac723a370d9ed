import Foundation

/// The cache in huggingface_hub's layout: https://huggingface.co/docs/huggingface_hub/guides/manage-cache.
///
/// `models--owner--name/` has `blobs/<etag>`, the files; `snapshots/<commit>/<path>`, links to them; and `refs/<revision>`,
/// which says a revision's commit.
public struct HubCache: Sendable {
    public let root: URL

    public init(at root: URL) { self.root = root }

    func folder(_ id: String) -> URL {
        root.appending(path: "models--" + id.replacingOccurrences(of: "/", with: "--"))
    }

    func blob(_ etag: String, of id: String) -> URL { folder(id).appending(path: "blobs/\(etag)") }

    public func snapshot(_ commit: String, of id: String) -> URL {
        folder(id).appending(path: "snapshots/\(commit)")
    }

    /// The commit that a revision was at when it was last asked for.
    func commit(of reference: RepositoryReference) -> String? {
        if reference.isCommit { return reference.revision }
        let file = folder(reference.id).appending(path: "refs/\(reference.revision)")
        let text = (try? String(contentsOf: file, encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
        return text.flatMap { RepositoryReference.isCommit($0) ? $0 : nil }
    }

    func keep(_ commit: String, for reference: RepositoryReference) throws(HubError) {
        // What is so already is not written: the cache may be one that is only read.
        guard !reference.isCommit, self.commit(of: reference) != commit else { return }
        let file = folder(reference.id).appending(path: "refs/\(reference.revision)")
        try Self.writing(file) {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(commit.utf8).write(to: file, options: .atomic)
        }
    }

    /// A repository's file in a snapshot, where it is there.
    func file(_ path: String, commit: String, of id: String) -> URL? {
        let file = snapshot(commit, of: id).appending(path: path)
        return FileManager.default.fileExists(atPath: file.path) ? file : nil
    }

    /// The size of a repository's file in a snapshot; nil where it is not there.
    func byteCount(_ path: String, commit: String, of id: String) -> Int? {
        guard let file = file(path, commit: commit, of: id)?.resolvingSymlinksInPath() else { return nil }
        return (try? FileManager.default.attributesOfItem(atPath: file.path))?[.size] as? Int
    }

    /// Puts a blob into a snapshot, as a relative link.
    func link(_ path: String, commit: String, of id: String, to etag: String) throws(HubError) -> URL {
        let file = snapshot(commit, of: id).appending(path: path)
        let depth = path.split(separator: "/").count + 1
        let target = String(repeating: "../", count: depth) + "blobs/\(etag)"
        try Self.writing(file) {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            let known = try? FileManager.default.destinationOfSymbolicLink(atPath: file.path)
            if known == target { return }
            let temporary = file.deletingLastPathComponent()
                .appending(path: ".\(UInt64.random(in: 0...UInt64.max))")
            try FileManager.default.createSymbolicLink(
                atPath: temporary.path, withDestinationPath: target)
            guard rename(temporary.path, file.path) == 0 else {
                unlink(temporary.path)
                throw HubError.unwritable(path: file.path, reason: String(cString: strerror(errno)))
            }
        }
        return file
    }

    /// Makes the folders of a repository, and the mark that tells back-ups to leave the cache out.
    func prepare(_ id: String) throws(HubError) {
        try Self.writing(folder(id)) {
            for name in ["blobs", "snapshots", "refs"] {
                try FileManager.default.createDirectory(
                    at: folder(id).appending(path: name), withIntermediateDirectories: true)
            }
            try FileManager.default.createDirectory(at: locks(id), withIntermediateDirectories: true)
            let mark = root.appending(path: "CACHEDIR.TAG")
            if !FileManager.default.fileExists(atPath: mark.path) {
                let text = """
                    Signature: 8a477f597d28d172789f06886806bc55
                    # This folder is a cache of models; see https://bford.info/cachedir/

                    """
                try Data(text.utf8).write(to: mark, options: .atomic)
            }
        }
    }

    private func locks(_ id: String) -> URL {
        root.appending(path: ".locks/" + folder(id).lastPathComponent)
    }

    /// Holds a blob's lock, so that no two programs write it at once.
    func withLock<T>(_ etag: String, of id: String, _ body: () async throws -> T) async throws -> T {
        let path = locks(id).appending(path: "\(etag).lock").path
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw HubError.unwritable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            // A file system without locks: whole files appear by their renaming all the same.
            guard errno == EWOULDBLOCK || errno == EINTR else { break }
            try await Task.sleep(for: .milliseconds(200))
        }
        return try await body()
    }

    static func writing(_ file: URL, _ body: () throws -> Void) throws(HubError) {
        do { try body() } catch let error as HubError { throw error } catch {
            // Foundation's own words are a number for much of what goes wrong.
            let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? POSIXError
            let reason = cause.map { String(cString: strerror($0.code.rawValue)) }
            throw .unwritable(path: file.path, reason: reason ?? error.localizedDescription)
        }
    }
}
