import Foundation
import Synchronization

/// A file or a folder that is being written under a name of its own, beside the place where it is to be.
///
/// It is removed with the value unless it was moved there; and by ``removeAll()`` where the process is about to end.
package final class UnfinishedOutput: Sendable {
    /// Where it is written.
    package let place: URL
    private let target: URL
    private static let all: Mutex<Set<URL>> = Mutex([])

    /// Makes nothing yet.
    package init(of target: URL) {
        self.target = target
        let name = ".easel-\(UInt64.random(in: 0...UInt64.max)).tmp"
        place = target.deletingLastPathComponent().appending(path: name)
        Self.all.withLock { [place] in _ = $0.insert(place) }
    }

    deinit {
        try? FileManager.default.removeItem(at: place)
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
}
