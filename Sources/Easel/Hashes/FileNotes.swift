import Foundation
import Synchronization

/// What was found out of files, kept from one run to the next for as long as the files are as they were.
final class FileNotes<Note: Codable & Sendable>: Sendable {
    private struct Entry: Codable {
        let file: LoadedFile
        let note: Note
    }

    private let file: URL
    private let known: Mutex<[String: Entry]?> = Mutex(nil)
    private let limit = 1000

    /// - Parameter file: Where they are kept, as JSON.
    init(file: URL) { self.file = file }

    /// What is known of a file that is as it was then.
    subscript(_ own: LoadedFile) -> Note? {
        guard let entry = entries()[own.path], entry.file == own else { return nil }
        return entry.note
    }

    /// What cannot be written is not kept: it costs time, nothing else.
    func keep(_ note: Note, of own: LoadedFile) {
        // Another process may have added to the file.
        let stored = read()
        let all = known.withLock { known in
            var all = stored.merging(known ?? [:]) { $1 }
            all[own.path] = Entry(file: own, note: note)
            if all.count > limit { all = all.filter { FileManager.default.fileExists(atPath: $0.key) } }
            known = all
            return all
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try? FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try? encoder.encode(all).write(to: file, options: .atomic)
    }

    private func entries() -> [String: Entry] {
        known.withLock { known in
            if let known { return known }
            let read = read()
            known = read
            return read
        }
    }

    private func read() -> [String: Entry] {
        (try? JSONDecoder().decode([String: Entry].self, from: Data(contentsOf: file))) ?? [:]
    }
}
