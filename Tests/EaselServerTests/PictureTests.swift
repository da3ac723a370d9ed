import Foundation
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
}
