import Foundation
import GRDB
import Imaging

/// Pictures that clients hand in, to start from or as masks. They are kept as they came, so that a job that waits has them
/// after a restart.
struct Uploads: Sendable {
    let pool: DatabasePool
    let files: PictureFiles
    /// The most pixels that one may have.
    let pixelLimit: Int

    /// How long one that no waiting job needs is kept, in seconds.
    private static let lifetime = 7.0 * 24 * 3600

    struct Upload: Sendable {
        let id: String
        let picture: PictureFile
    }

    /// Reads a picture under the same limits as the tool, and keeps its bytes.
    ///
    /// - Throws: `ImageError.notReadable` for what is not a picture; what ``PictureFiles/save(_:)`` throws.
    func add(_ bytes: Data) async throws -> Upload {
        let picture = try PictureFile(reading: bytes, named: "the picture", pixelLimit: pixelLimit)
        let id = try files.save(bytes)
        let size = (picture.image.width, picture.image.height)
        try await pool.write { [files] database in
            // The same picture may have been handed in before, and be removed just now.
            try files.save(bytes, as: id)
            try database.execute(
                sql: """
                    INSERT INTO upload (id, created, width, height) VALUES (?, ?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET created = excluded.created
                    """, arguments: [id, Date().timeIntervalSince1970, size.0, size.1])
        }
        return Upload(id: id, picture: picture)
    }

    /// Removes what is old and no waiting job needs, and files that the database does not know: before the first is added.
    func clean() async throws {
        try await expire()
        let kept = try await pool.read { try Set(String.fetchAll($0, sql: "SELECT id FROM upload")) }
        for id in files.identifiers() where !kept.contains(id) { files.remove(id) }
    }

    /// Removes what is old and no waiting job needs.
    func expire() async throws {
        let before = Date().timeIntervalSince1970 - Self.lifetime
        try await pool.write { [files] database in
            let old = try String.fetchAll(
                database,
                sql: """
                    SELECT id FROM upload WHERE created < ? AND NOT EXISTS (SELECT 1 FROM job
                        WHERE state IN ('queued', 'running') AND instr(settings, upload.id) > 0)
                    """, arguments: [before])
            for id in old {
                files.remove(id)
                try database.execute(sql: "DELETE FROM upload WHERE id = ?", arguments: [id])
            }
        }
    }
}
