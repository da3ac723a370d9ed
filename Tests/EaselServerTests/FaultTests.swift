import Checkpoints
import Foundation
import Testing

/// A system that does not do its part (F3 to F6 and F8 of bad input).
@Suite(.serialized) struct FaultTests {
    private static let apple = #"{"prompt": "a red apple", "steps": 2, "seed": 1}"#

    /// A folder that is removed at the end.
    private final class Folder {
        let url = RunningServer.newFolder()
        deinit { try? FileManager.default.removeItem(at: url) }
    }

    @Test("F3: a file that cannot be read is told of, with the byte, and is not taken for missing")
    func unreadableFiles() async throws {
        let folder = Folder()
        guard let faults = try Faults(meeting: folder.url.appending(path: "pictures")) else { return }
        let server = try await RunningServer(folder: folder.url, environment: faults.environment)
        let first = try await server.ended(try await server.job(Self.apple))
        let id = try #require(try first.text("pictures", "0", "id"))
        let size = try await server.get("/api/v1/pictures/\(id)/file").body.count
        faults.failReading(from: 1000)
        let file = try await server.get("/api/v1/pictures/\(id)/file")
        #expect(file.status == 503 && !file.headers["retry-after"].isEmpty)
        #expect(try file.text("error", "code") == "unreadable")
        let told = try #require(try file.text("error", "message"))
        #expect(told.contains("at byte 1000") && told.contains(id) && !told.contains(folder.url.path))
        // A job that starts from it, handed in before and now.
        let start = #"{"prompt": "a", "steps": 2, "seed": 2, "init_image": "\#(id)"}"#
        #expect(try await server.post("/api/v1/jobs", start).text("error", "code") == "unreadable")
        faults.end()
        let long = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60}"#)
        let waiting = try await server.job(start)
        faults.failReading(from: 1000)
        _ = try await server.post("/api/v1/jobs/\(long)/cancel")
        let failed = try await server.ended(waiting)
        #expect(try failed.text("error", "code") == "unreadable")
        #expect(try failed.text("error", "message")?.contains("at byte 1000") == true)
        faults.end()
        #expect(try await server.get("/api/v1/pictures/\(id)/file").body.count == size)
        let again = try await server.post("/api/v1/jobs/\(waiting)/retry")
        #expect(try await server.ended(try #require(try again.text("id"))).text("state") == "done")
        #expect(await server.end() == 0)
    }

    @Test("F4: reads and writes that are short or interrupted change nothing")
    func shortReads() async throws {
        let folder = Folder()
        guard let faults = try Faults(meeting: folder.url) else { return }
        let other = try await RunningServer()
        let expected = try await other.ended(try await other.job(Self.apple)).text("pictures", "0", "id")
        let models = folder.url.appending(path: "models")
        try FileManager.default.createDirectory(at: models, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: RunningServer.demoModel, to: models.appending(path: "copy"))
        faults.halt()
        var server = try await RunningServer(
            ["--model", models.appending(path: "copy").path], folder: folder.url,
            environment: faults.environment)
        let ended = try await server.ended(try await server.job(Self.apple))
        #expect(try ended.text("state") == "done")
        let id = try #require(try ended.text("pictures", "0", "id"))
        let bytes = try await server.get("/api/v1/pictures/\(id)/file").body
        #expect(faults.count > 100)
        #expect(await server.end() == 0)
        faults.end()
        server = try await RunningServer(folder: folder.url)
        #expect(try await server.get("/api/v1/pictures/\(id)/file").body == bytes)
        let own = try await server.ended(try await server.job(Self.apple))
        #expect(try own.text("pictures", "0", "id") == expected)
    }

    @Test("F5: a step that gets no memory fails its job, gives back what it had, and the next one is made")
    func noMemory() async throws {
        let folder = Folder()
        guard let faults = try Faults(meeting: folder.url) else { return }
        let server = try await RunningServer(folder: folder.url, environment: faults.environment)
        let first = try await server.ended(try await server.job(Self.apple))
        let long = #"{"prompt": "a", "steps": 150, "count": 60}"#
        var memory: [Int] = []
        for _ in 0..<4 {
            let job = try await server.job(long)
            while try await server.get("/api/v1/jobs/\(job)").text("step") == "0" {}
            let before = faults.count
            faults.refuseMemory(from: 1024)
            let failed = try await server.ended(job)
            faults.end()
            #expect(faults.count > before)
            #expect(try failed.text("state") == "failed")
            #expect(try failed.text("error", "message")?.contains("memory") == true)
            let next = try await server.ended(try await server.job(Self.apple))
            #expect(try next.text("pictures", "0", "id") == first.text("pictures", "0", "id"))
            memory.append(server.residentMemory)
        }
        #expect(memory[3] - memory[0] < 8 << 20)
        #expect(await server.end() == 0)
    }

    @Test("F6: what cannot be brought to the disk is not said to be there")
    func failedSyncs() async throws {
        let folder = Folder()
        guard let faults = try Faults(meeting: folder.url) else { return }
        let server = try await RunningServer(folder: folder.url, environment: faults.environment)
        let first = try await server.ended(try await server.job(Self.apple))
        let kept = try #require(try first.text("pictures", "0", "id"))
        let bytes = try await server.get("/api/v1/pictures/\(kept)/file").body
        let long = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60}"#)
        while try await server.get("/api/v1/jobs/\(long)").text("step") == "0" {}
        let waiting = try await server.job(#"{"prompt": "a fish", "steps": 2, "seed": 7}"#)
        faults.failSyncs()
        let refused = try await server.post("/api/v1/jobs", Self.apple)
        #expect(refused.status == 503)
        #expect(try refused.text("error", "code") == "storage")
        let upload = try await server.ask(
            .POST, "/api/v1/uploads", bytes: bytes, headers: [("content-type", "image/png")])
        #expect(upload.status == 503)
        // That it is cancelled cannot be written down.
        #expect(try await server.post("/api/v1/jobs/\(long)/cancel").status == 503)
        try await Task.sleep(for: .seconds(1))
        #expect(try await server.get("/healthz").status == 200)
        #expect(try await server.get("/api/v1/jobs/\(waiting)").text("state") != "done")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.url.path)
        #expect(files.filter { $0.hasSuffix(".png") }.count == 1)
        #expect(!files.contains { $0.hasSuffix(".tmp") || $0.hasSuffix(".picture") })
        faults.end()
        #expect(try await server.post("/api/v1/jobs/\(long)/cancel").text("state") == "cancelled")
        let ended = try await server.ended(waiting)
        let isTold = try ended.text("error", "code") == "not_written"
        #expect(try ended.text("state") == "done" || isTold)
        #expect(try await server.ended(try await server.job(Self.apple)).text("state") == "done")
        #expect(await server.end() == 0)
        let next = try await RunningServer(folder: folder.url)
        #expect(try await next.get("/api/v1/pictures/\(kept)/file").body == bytes)
    }

    @Test("F8: with all descriptors taken clients are told to come back, and the server goes on")
    func noDescriptors() async throws {
        let server = try await RunningServer(descriptors: 128)
        let job = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60}"#)
        let clients = (0..<60).compactMap { _ in try? OpenConnection(server.port) }
        #expect(clients.count == 60)
        var refused = 0
        for client in clients {
            let answer = client.ask("GET /api/v1/pictures HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            if answer.hasPrefix("HTTP/1.1 503") {
                refused += 1
                #expect(answer.lowercased().contains("\r\nretry-after: "))
                #expect(answer.contains("too_many_connections"))
            } else {
                #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
            }
        }
        #expect(refused > 0 && refused < clients.count)
        // It sees that clients are gone when it has the time for it.
        func comesBack() async throws -> Bool {
            for _ in 0..<100 {
                if (try? await server.get("/healthz").status) == 200 { return true }
                try await Task.sleep(for: .milliseconds(50))
            }
            return false
        }
        for client in clients { client.close() }
        #expect(try await comesBack())
        #expect(try await server.post("/api/v1/jobs/\(job)/cancel").text("state") == "cancelled")
        #expect(try await server.ended(try await server.job(Self.apple)).text("state") == "done")
        // All at once, more than there are descriptors for.
        let many = (0..<300).compactMap { _ in try? OpenConnection(server.port) }
        try await Task.sleep(for: .milliseconds(300))
        for client in many { client.close() }
        #expect(try await comesBack())
        for _ in 0..<5 { #expect(try await server.get("/api/v1/pictures").status == 200) }
        #expect(await server.end() == 0)
    }
}
