import Foundation
import GRDB

/// What is known of all pictures that were made, newest first.
struct Gallery: Sendable {
    let pool: DatabasePool

    /// Which pictures are asked for.
    struct Query: Sendable, Hashable {
        var search: String?
        var tag: String?
        var favourite = false
        var trashed = false
        var limit = 60
        /// Where the page before ended: a picture's ``StoredPicture/serial``, or its identifier.
        var before: String?
    }

    private static let columns = """
        picture.*, (SELECT GROUP_CONCAT(tag, char(31)) FROM (SELECT tag FROM pictureTag
            WHERE pictureTag.picture = picture.id ORDER BY tag)) AS tags
        """

    /// Keeps a picture as one of a job. One that was there is the newest again, and leaves the trash; where only its file was
    /// known, the job's settings take the place of those in the file, which do not say what it started from.
    ///
    /// - Parameters:
    ///   - job: Nil where it is not known which made it.
    ///   - saving: Makes sure that its file is there: it may have been deleted since it was written.
    /// - Returns: What people say of it, where it was there before.
    @discardableResult
    func add(
        _ picture: StoredPicture, to job: String?, saving: @escaping @Sendable () throws -> Void
    ) async throws -> (favourite: Bool, tags: [String]) {
        let settings = String(decoding: try JSONEncoder().encode(picture.settings), as: UTF8.self)
        return try await pool.write { database -> (favourite: Bool, tags: [String]) in
            try saving()
            try database.execute(
                sql: """
                    INSERT INTO picture (id, job, number, created, width, height, seed, model, sampler, prompt,
                        negativePrompt, settings, parameters)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET trashed = NULL, created = excluded.created,
                        serial = (SELECT MAX(serial) + 1 FROM picture),
                        job = CASE job WHEN '' THEN excluded.job ELSE job END,
                        number = CASE job WHEN '' THEN excluded.number ELSE number END,
                        settings = CASE job WHEN '' THEN excluded.settings ELSE settings END
                    """,
                arguments: [
                    picture.id, job ?? "", picture.number, picture.created.timeIntervalSince1970,
                    picture.width,
                    picture.height, String(picture.seed), picture.model, picture.sampler,
                    picture.settings.prompt, picture.settings.negativePrompt ?? "", settings,
                    picture.parameters,
                ])
            if let job {
                try database.execute(
                    sql: "INSERT OR REPLACE INTO jobPicture (job, number, picture) VALUES (?, ?, ?)",
                    arguments: [job, picture.number, picture.id])
            }
            let kept = try Self.picture(picture.id, database)
            return (kept?.favourite ?? false, kept?.tags ?? [])
        }
    }

    func pictures(_ query: Query) async throws -> [StoredPicture] {
        var conditions = [query.trashed ? "trashed IS NOT NULL" : "trashed IS NULL"]
        var arguments: StatementArguments = []
        if query.favourite { conditions.append("favourite") }
        if let tag = query.tag {
            conditions.append("id IN (SELECT picture FROM pictureTag WHERE tag = ?)")
            arguments += [tag]
        }
        // Words that begin so; nothing of a search is read as the query language's own.
        let words = (query.search ?? "").split { !$0.isLetter && !$0.isNumber }
        if !words.isEmpty {
            conditions.append("serial IN (SELECT rowid FROM pictureText WHERE pictureText MATCH ?)")
            arguments += [words.map { "\"\($0)\"*" }.joined(separator: " ")]
        } else if query.search?.contains(where: { !$0.isWhitespace }) == true {
            return []
        }
        if let serial = query.before.flatMap({ Int64($0) }) {
            conditions.append("serial < ?")
            arguments += [serial]
        } else if let before = query.before {
            conditions.append("serial < (SELECT serial FROM picture WHERE id = ?)")
            arguments += [before]
        }
        arguments += [query.limit]
        let sql = """
            SELECT \(Self.columns) FROM picture WHERE \(conditions.joined(separator: " AND "))
            ORDER BY serial DESC LIMIT ?
            """
        return try await pool.read { [arguments] in
            try StoredPicture.fetchAll($0, sql: sql, arguments: arguments)
        }
    }

    func picture(_ id: String) async throws -> StoredPicture? {
        try await pool.read { try Self.picture(id, $0) }
    }

    private static func picture(_ id: String, _ database: Database) throws -> StoredPicture? {
        try StoredPicture.fetchOne(
            database, sql: "SELECT \(columns) FROM picture WHERE id = ?", arguments: [id])
    }

    /// The pictures of some jobs, in order.
    func pictures(of jobs: [String]) async throws -> [String: [StoredPicture]] {
        guard !jobs.isEmpty else { return [:] }
        let places = jobs.map { _ in "?" }.joined(separator: ", ")
        let rows = try await pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT jobPicture.job AS ofJob, jobPicture.number AS ofNumber, \(Self.columns)
                    FROM jobPicture JOIN picture ON picture.id = jobPicture.picture
                    WHERE jobPicture.job IN (\(places)) ORDER BY jobPicture.number
                    """, arguments: StatementArguments(jobs)
            ).map { (job: $0["ofJob"] as String, picture: try StoredPicture(row: $0)) }
        }
        return Dictionary(grouping: rows, by: \.job).mapValues { $0.map(\.picture) }
    }

    /// Changes what people say of a picture; nil leaves it.
    ///
    /// - Returns: Nil where there is none.
    func annotate(_ id: String, favourite: Bool?, tags: [String]?) async throws -> StoredPicture? {
        try await pool.write { database in
            guard try Self.picture(id, database) != nil else { return nil }
            if let favourite {
                try database.execute(
                    sql: "UPDATE picture SET favourite = ? WHERE id = ?", arguments: [favourite, id])
            }
            if let tags {
                try database.execute(sql: "DELETE FROM pictureTag WHERE picture = ?", arguments: [id])
                for tag in tags {
                    try database.execute(
                        sql: "INSERT OR IGNORE INTO pictureTag (picture, tag) VALUES (?, ?)",
                        arguments: [id, tag])
                }
            }
            return try Self.picture(id, database)
        }
    }

    /// Puts a picture into the trash, or takes it out.
    func trash(_ id: String, _ isTrashed: Bool) async throws -> StoredPicture? {
        try await pool.write { database in
            try database.execute(
                sql: "UPDATE picture SET trashed = ? WHERE id = ?",
                arguments: [isTrashed ? Date().timeIntervalSince1970 : nil, id])
            return try Self.picture(id, database)
        }
    }

    /// Deletes a picture of the trash: first its file, which would be taken for one of a lost database otherwise.
    ///
    /// - Parameter deleting: Takes its file off the disk.
    /// - Returns: Whether there was one.
    /// - Throws: ``APIError`` where a job that is to be made starts from it; what `deleting` throws.
    func delete(_ id: String, deleting: @escaping @Sendable () throws -> Void) async throws -> Bool {
        try await pool.write { database in
            let isTrashed = try Bool.fetchOne(
                database, sql: "SELECT trashed IS NOT NULL FROM picture WHERE id = ?", arguments: [id])
            guard isTrashed == true else { return false }
            let job = try String.fetchOne(
                database,
                sql: """
                    SELECT id FROM job WHERE state IN ('queued', 'running') AND instr(settings, ?) > 0
                    """, arguments: [id])
            if let job {
                throw APIError(
                    .conflict, "needed",
                    "job \(job) starts from this picture; cancel it, or wait until it is made")
            }
            try deleting()
            try database.execute(sql: "DELETE FROM picture WHERE id = ?", arguments: [id])
            return true
        }
    }

    func tags() async throws -> [(name: String, count: Int)] {
        try await pool.read { database in
            try Row.fetchAll(
                database, sql: "SELECT tag, COUNT(*) AS count FROM pictureTag GROUP BY tag ORDER BY tag"
            ).map { ($0["tag"], $0["count"]) }
        }
    }

    func identifiers() async throws -> Set<String> {
        try await pool.read { try Set(String.fetchAll($0, sql: "SELECT id FROM picture")) }
    }
}
