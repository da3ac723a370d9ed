import GRDB

/// The tables.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("jobs and pictures") { database in
            try database.create(table: "job") { table in
                table.primaryKey("id", .text)
                table.column("created", .double).notNull()
                table.column("client", .text).notNull()
                table.column("api", .text).notNull()
                table.column("settings", .text).notNull()
                table.column("priority", .integer).notNull()
                table.column("place", .double).notNull()
                table.column("state", .text).notNull()
                table.column("attempts", .integer).notNull().defaults(to: 0)
                table.column("started", .double)
                table.column("finished", .double)
                table.column("errorCode", .text)
                table.column("errorMessage", .text)
                table.column("warnings", .text).notNull().defaults(to: "[]")
                table.column("timings", .text).notNull().defaults(to: "{}")
                table.column("idempotencyKey", .text)
                table.column("bodyHash", .text)
            }
            try database.create(indexOn: "job", columns: ["state", "priority", "place"])
            try database.create(indexOn: "job", columns: ["created"])
            try database.create(
                index: "jobByKey", on: "job", columns: ["client", "idempotencyKey"], options: .unique,
                condition: Column("idempotencyKey") != nil)
            try database.create(table: "picture") { table in
                table.autoIncrementedPrimaryKey("serial")
                table.column("id", .text).notNull().unique()
                table.column("job", .text).notNull()
                table.column("number", .integer).notNull()
                table.column("created", .double).notNull()
                table.column("width", .integer).notNull()
                table.column("height", .integer).notNull()
                table.column("seed", .text).notNull()
                table.column("model", .text).notNull()
                table.column("sampler", .text).notNull()
                table.column("prompt", .text).notNull()
                table.column("negativePrompt", .text).notNull()
                table.column("settings", .text).notNull()
                table.column("parameters", .text).notNull()
                table.column("favourite", .boolean).notNull().defaults(to: false)
                table.column("trashed", .double)
            }
            try database.create(indexOn: "picture", columns: ["trashed", "serial"])
            try database.create(virtualTable: "pictureText", using: FTS5()) { table in
                table.synchronize(withTable: "picture")
                table.tokenizer = .unicode61()
                table.column("prompt")
                table.column("negativePrompt")
                table.column("model")
                table.column("sampler")
            }
            // The same settings make the same picture, so that it may be of several jobs.
            try database.create(table: "jobPicture") { table in
                table.primaryKey {
                    table.column("job", .text).references("job", onDelete: .cascade)
                    table.column("number", .integer)
                }
                table.column("picture", .text).notNull().references(
                    "picture", column: "id", onDelete: .cascade)
            }
            try database.create(indexOn: "jobPicture", columns: ["picture"])
            try database.create(table: "pictureTag") { table in
                table.primaryKey {
                    table.column("picture", .text).references("picture", column: "id", onDelete: .cascade)
                    table.column("tag", .text)
                }
            }
            try database.create(indexOn: "pictureTag", columns: ["tag"])
            try database.create(table: "upload") { table in
                table.primaryKey("id", .text)
                table.column("created", .double).notNull()
                table.column("width", .integer).notNull()
                table.column("height", .integer).notNull()
            }
        }
        migrator.registerMigration("speeds") { database in
            try database.create(table: "speed") { table in
                table.primaryKey {
                    table.column("device", .text)
                    table.column("model", .text)
                    table.column("width", .integer)
                    table.column("height", .integer)
                    table.column("callsPerStep", .integer)
                }
                table.column("pass", .double).notNull()
                table.column("rest", .double).notNull()
                table.column("measured", .double).notNull()
            }
        }
        migrator.registerMigration("speeds of batches") { database in
            try database.rename(table: "speed", to: "speedAlone")
            try database.create(table: "speed") { table in
                table.primaryKey {
                    table.column("device", .text)
                    table.column("model", .text)
                    table.column("width", .integer)
                    table.column("height", .integer)
                    table.column("callsPerStep", .integer)
                    table.column("batch", .integer)
                }
                table.column("pass", .double).notNull()
                table.column("rest", .double).notNull()
                table.column("loading", .double).notNull()
                table.column("count", .integer).notNull()
                table.column("measured", .double).notNull()
            }
            try database.execute(
                sql: """
                    INSERT INTO speed
                    SELECT device, model, width, height, callsPerStep, 1, pass, rest, 0, 1, measured FROM speedAlone
                    """)
            try database.drop(table: "speedAlone")
        }
        return migrator
    }
}
