import Foundation

extension [UInt8] {
    /// A file's bytes; one of more than `limit` is refused unread.
    ///
    /// - Throws: ``FileError``.
    public init(contentsOf url: URL, limit: Int) throws(FileError) {
        let file = try RegularFile(opening: url.path)
        guard file.byteCount <= limit else {
            throw .tooLarge(path: file.path, bytes: file.byteCount, limit: limit)
        }
        self = try file.read(byteCount: file.byteCount, at: 0)
    }
}
