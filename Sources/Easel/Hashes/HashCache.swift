import Foundation
import Synchronization

extension FileHashes {
    /// A file's hashes, where Easel has read it for them and it is as it was then; it is not read now.
    ///
    /// Those of files under 16 MiB are known for as long as the process runs.
    public static func known(of file: URL) -> FileHashes? { HashCache.shared.known(of: file) }
}

/// The hashes of large files, kept from one run to the next for as long as the files are as they were.
///
/// They are in `easel/hashes.json` in the user's folder for caches (`XDG_CACHE_HOME`).
final class HashCache: Sendable {
    static let shared = HashCache(
        file: cacheFolder.appending(path: "easel/hashes.json"), leastByteCount: 16 << 20)

    private struct Entry: Codable {
        let file: LoadedFile
        let hashes: FileHashes
    }

    private let file: URL
    /// Smaller files are read again each time.
    private let leastByteCount: Int
    private let known: Mutex<[String: Entry]?> = Mutex(nil)
    /// Of smaller files, when they were read last.
    private let small: Mutex<[String: Entry]> = Mutex([:])
    private static let limit = 1000

    init(file: URL, leastByteCount: Int) {
        self.file = file
        self.leastByteCount = leastByteCount
    }

    /// A file's hashes: those that are known, or else new ones, which are kept.
    ///
    /// - Parameter hasHeader: Whether it is a safetensors file.
    /// - Throws: As `FileHashes(of:hasHeader:)`.
    func hashes(of url: URL, hasHeader: Bool) throws -> FileHashes {
        let own = LoadedFile(url.standardizedFileURL.path)
        guard let byteCount = own.byteCount, byteCount >= leastByteCount else {
            let hashes = try FileHashes(of: url, hasHeader: hasHeader)
            small.withLock { small in
                if small.count >= Self.limit { small = [:] }
                small[own.path] = Entry(file: own, hashes: hashes)
            }
            return hashes
        }
        if let entry = entries()[own.path], entry.file == own, (entry.hashes.valuesSHA256 != nil) == hasHeader
        {
            return entry.hashes
        }
        let hashes = try FileHashes(of: url, hasHeader: hasHeader)
        keep(Entry(file: own, hashes: hashes))
        return hashes
    }

    /// A file's hashes, where they are known and the file is as it was then.
    func known(of url: URL) -> FileHashes? {
        let own = LoadedFile(url.standardizedFileURL.path)
        guard own.byteCount != nil else { return nil }
        let entry = small.withLock { $0[own.path] } ?? entries()[own.path]
        return entry.flatMap { $0.file == own ? $0.hashes : nil }
    }

    private func entries() -> [String: Entry] {
        known.withLock { known in
            if let known { return known }
            let read = (try? JSONDecoder().decode([String: Entry].self, from: Data(contentsOf: file))) ?? [:]
            known = read
            return read
        }
    }

    /// What cannot be written is not kept: it costs time, nothing else.
    private func keep(_ entry: Entry) {
        // Another process may have added to the file.
        let stored = (try? JSONDecoder().decode([String: Entry].self, from: Data(contentsOf: file))) ?? [:]
        let all = known.withLock { known in
            var all = stored.merging(known ?? [:]) { $1 }
            all[entry.file.path] = entry
            if all.count > Self.limit {
                all = all.filter { FileManager.default.fileExists(atPath: $0.key) }
            }
            known = all
            return all
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try? FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try? encoder.encode(all).write(to: file, options: .atomic)
    }
}
