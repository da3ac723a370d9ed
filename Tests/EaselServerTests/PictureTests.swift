import Checkpoints
import Foundation
import GRDB
import Imaging
import Testing

@testable import EaselServer

/// What becomes of pictures.
@Suite struct PictureTests {
    private static func picture(_ server: RunningServer, seed: Int = 1) async throws -> String {
        let job = try await server.job(
            #"{"prompt": "a", "steps": 1, "seed": \#(seed), "width": 64, "height": 64}"#)
        let ended = try await server.ended(job)
        return try #require(try ended.text("pictures", "0", "id"))
    }

    @Test("A picture is not deleted while a job is to start from it, and may be made again afterwards")
    func deletingWhatIsNeeded() async throws {
        let server = try await RunningServer()
        let id = try await Self.picture(server)
        let path = "/api/v1/pictures/\(id)"
        let long = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60}"#)
        let job = try await server.job(#"{"prompt": "b", "steps": 1, "init_image": "\#(id)"}"#)
        #expect(try await server.ask(.DELETE, path).status == 200)
        let refused = try await server.ask(.DELETE, path + "?forever=true")
        #expect(refused.status == 409)
        #expect(try refused.text("error", "code") == "needed")
        #expect(try await server.get(path + "/file").status == 200)
        _ = try await server.post("/api/v1/jobs/\(job)/cancel")
        _ = try await server.post("/api/v1/jobs/\(long)/cancel")
        #expect(try await server.ask(.DELETE, path + "?forever=true").status == 204)
        #expect(try await server.get(path + "/file").status == 404)
        #expect(try await Self.picture(server) == id)
        #expect(try await server.get(path + "/file").status == 200)
    }

    @Test("A picture whose file cannot be deleted stays in the trash")
    func deletingWhatCannotBeDeleted() async throws {
        let server = try await RunningServer()
        let id = try await Self.picture(server)
        let path = "/api/v1/pictures/\(id)"
        #expect(try await server.ask(.DELETE, path).status == 200)
        // What no user may unlink, whatever else it may do.
        let file = server.folder.appending(path: "pictures/\(id.prefix(2))/\(id).png")
        try FileManager.default.removeItem(at: file)
        try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
        #expect(try await server.ask(.DELETE, path + "?forever=true").status == 503)
        #expect(try await server.get("/api/v1/pictures?trashed=true").text("pictures", "0", "id") == id)
        try FileManager.default.removeItem(at: file)
        #expect(try await server.ask(.DELETE, path + "?forever=true").status == 204)
    }

    @Test("A picture that is made again is told of with what people said of it before")
    func madeAgain() async throws {
        let server = try await RunningServer()
        let id = try await Self.picture(server)
        let said = try await server.ask(
            .PATCH, "/api/v1/pictures/\(id)", json: #"{"favourite": true, "tags": ["best"]}"#)
        #expect(said.status == 200)
        async let events = server.events("/api/v1/events", until: "picture")
        try await Task.sleep(for: .milliseconds(300))
        #expect(try await Self.picture(server) == id)
        let told = try #require(try await events.last)
        let picture = try JSONValue(parsing: Array(told.data.utf8), named: "event").objectValue
        #expect(picture?["id"]?.stringValue == id)
        #expect(picture?["favourite"]?.boolValue == true)
        #expect(picture?["tags"]?.arrayValue?.compactMap(\.stringValue) == ["best"])
    }

    @Test("A picture of which only the file was known has the settings of the job that makes it again")
    func adopted() async throws {
        let folder = RunningServer.newFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = try ServerDatabase(in: folder)
        let gallery = Gallery(pool: database.pool)
        func add(_ prompt: String, isOfJob: Bool) async throws -> StoredPicture {
            let job = Job(settings: JobSettings(prompt: prompt), client: "a", api: .easel)
            _ = try await JobStore(database.pool).accept(
                job, key: nil, limits: ServerLimits(), secondsLeft: 0)
            let notes = PictureNotes(
                parameters: "\(prompt)\nSteps: 1, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 8x8")
            let image = Image(width: 8, height: 8, pixels: [UInt8](repeating: 0, count: 8 * 8 * 3))
            let picture = try #require(StoredPicture(PictureFile(image, notes: notes), id: "the same"))
            try await gallery.add(picture, to: isOfJob ? job.id : nil) {}
            return try #require(try await gallery.picture("the same"))
        }
        let file = try await add("what the file says", isOfJob: false)
        #expect(file.job.isEmpty && file.settings.prompt == "what the file says")
        let made = try await add("what the job says", isOfJob: true)
        #expect(!made.job.isEmpty && made.settings.prompt == "what the job says")
        // Whoever makes it then, and whatever becomes of the process, it is as it was made first.
        for isOfJob in [true, false] {
            let again = try await add("what another says", isOfJob: isOfJob)
            #expect(again.job == made.job && again.settings == made.settings)
        }
    }

    @Test("Uploads are kept for a week, and while a job needs them; a file that is not yet known is spared")
    func uploadsExpire() async throws {
        let folder = RunningServer.newFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = try ServerDatabase(in: folder)
        let files = try PictureFiles(folder.appending(path: "uploads"), ending: "picture")
        let uploads = Uploads(pool: database.pool, files: files, pixelLimit: 1000)
        func upload(_ level: UInt8) async throws -> String {
            let image = Image(width: 8, height: 8, pixels: [UInt8](repeating: level, count: 8 * 8 * 3))
            return try await uploads.add(PictureFile(image).encoded(as: .png)).id
        }
        let old = try await upload(1)
        let needed = try await upload(2)
        let new = try await upload(3)
        var settings = JobSettings(prompt: "a")
        settings.initImage = needed
        _ = try await JobStore(database.pool).accept(
            Job(settings: settings, client: "a", api: .easel), key: nil, limits: ServerLimits(),
            secondsLeft: 0)
        try await database.pool.write { database in
            try database.execute(sql: "UPDATE upload SET created = 0 WHERE id <> ?", arguments: [new])
        }
        let unknown = try files.save(Data("its row is yet to come".utf8))
        try await uploads.expire()
        #expect(Set(files.identifiers()) == [needed, new, unknown])
        try await uploads.clean()
        #expect(Set(files.identifiers()) == [needed, new])
        #expect(try await upload(1) == old)
        #expect(Set(files.identifiers()) == [old, needed, new])
    }

    @Test("Pages go on where they were, even if what stood there is deleted")
    func pages() async throws {
        let server = try await RunningServer()
        var made: [String] = []
        for seed in 1...4 { made.append(try await Self.picture(server, seed: seed)) }
        let first = try await server.get("/api/v1/pictures?limit=2")
        let next = try #require(try first.text("next"))
        for more in ["", "?forever=true"] {
            _ = try await server.ask(.DELETE, "/api/v1/pictures/\(made[2])\(more)")
        }
        for before in [next, made[3]] {
            let page = try await server.get("/api/v1/pictures?limit=3&before=\(before)")
            #expect(try page.text("pictures", "0", "id") == made[1])
            #expect(try page.text("pictures", "1", "id") == made[0] && page.text("next") == nil)
        }
    }
}
