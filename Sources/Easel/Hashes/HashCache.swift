import Foundation
import Synchronization

extension FileHashes {
    /// A file's hashes, where Easel has read it for them and it is as it was then; it is not read now.
    ///
    /// Those of files under 16 MiB are known for as long as the process runs.
    public static func known(of file: URL) -> FileHashes? { HashCache.shared.known(of: file) }
}

/// The hashes of files: those of large ones are kept from one run to the next.
///
/// They are in `easel/hashes.json` in the user's folder for caches (`XDG_CACHE_HOME`).
final class HashCache: Sendable {
    static let shared = HashCache(
        file: cacheFolder.appending(path: "easel/hashes.json"), leastByteCount: 16 << 20)

    private let large: FileNotes<FileHashes>
    /// Smaller files are read again each time.
    private let leastByteCount: Int
    /// Of smaller files, when they were read last.
    private let small: Mutex<[LoadedFile: FileHashes]> = Mutex([:])
    private static let limit = 1000

    init(file: URL, leastByteCount: Int) {
        large = FileNotes(file: file)
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
                small[own] = hashes
            }
            return hashes
        }
        if let hashes = large[own], (hashes.valuesSHA256 != nil) == hasHeader { return hashes }
        let hashes = try FileHashes(of: url, hasHeader: hasHeader)
        large.keep(hashes, of: own)
        return hashes
    }

    /// A file's hashes, where they are known and the file is as it was then.
    func known(of url: URL) -> FileHashes? {
        let own = LoadedFile(url.standardizedFileURL.path)
        guard own.byteCount != nil else { return nil }
        return small.withLock { $0[own] } ?? large[own]
    }
}
