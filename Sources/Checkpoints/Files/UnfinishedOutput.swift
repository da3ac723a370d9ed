import Foundation
import Synchronization

/// A file or a folder that is being written under a name of its own, beside the place where it is to be.
///
/// It is removed with the value unless it was moved there; by ``removeAll()`` where the process is about to end; and where
/// the process was killed, by the next one that writes into the same folder. A lock tells which ones are still written.
package final class UnfinishedOutput: Sendable {
    /// Where it is written.
    package let place: URL
    /// Of the file or the folder, for as long as this value lives.
    let descriptor: Int32
    private let target: URL
    private static let all: Mutex<Set<URL>> = Mutex([])
    private static let (prefix, suffix) = (".easel-model-", ".tmp")

    /// Makes an empty file or folder.
    ///
    /// - Throws: ``FileError/unwritable(path:reason:)``.
    package init(of target: URL, isFolder: Bool) throws(FileError) {
        let folder = target.deletingLastPathComponent()
        Self.removeAbandoned(in: folder)
        func made() throws(FileError) -> (place: URL, descriptor: Int32) {
            let name = "\(Self.prefix)\(UInt64.random(in: 0...UInt64.max))\(Self.suffix)"
            let place = folder.appending(path: name)
            Self.all.withLock { _ = $0.insert(place) }
            let descriptor =
                isFolder
                ? mkdir(place.path, 0o777) == 0 ? open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1
                : open(place.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else {
                let reason = String(cString: strerror(errno))
                rmdir(place.path)
                Self.all.withLock { _ = $0.remove(place) }
                throw .unwritable(path: target.path, reason: reason)
            }
            // Where the file system has no locks, nothing is taken for abandoned either.
            flock(descriptor, LOCK_EX)
            return (place, descriptor)
        }
        var output = try made()
        // Another process may have taken it for abandoned before it was locked.
        while !FileManager.default.fileExists(atPath: output.place.path) {
            close(output.descriptor)
            Self.all.withLock { [place = output.place] in _ = $0.remove(place) }
            output = try made()
        }
        (place, descriptor) = output
        self.target = target
    }

    deinit {
        try? FileManager.default.removeItem(at: place)
        close(descriptor)
        Self.all.withLock { [place] in _ = $0.remove(place) }
    }

    /// Gives it its name.
    ///
    /// - Throws: ``FileError/unwritable(path:reason:)``.
    package func finish() throws(FileError) {
        guard rename(place.path, target.path) == 0 else {
            throw .unwritable(path: target.path, reason: String(cString: strerror(errno)))
        }
    }

    /// Removes what is being written, for a process that ends where it is: nothing is written after it.
    package static func removeAll() {
        all.withLock { places in
            for place in places {
                // Another thread may put a file into a folder while it is being emptied.
                for _ in 0..<100 where FileManager.default.fileExists(atPath: place.path) {
                    try? FileManager.default.removeItem(at: place)
                }
            }
        }
    }

    /// Removes what processes that were killed left in a folder.
    private static func removeAbandoned(in folder: URL) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for name in names where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
            let place = folder.appending(path: name)
            let descriptor = open(place.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(at: place) }
            close(descriptor)
        }
    }
}
