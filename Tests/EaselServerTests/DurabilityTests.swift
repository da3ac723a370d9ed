import Checkpoints
import Foundation
import GRDB
import Testing

/// What is left after the process ended in any way (cases Q and F of bad input).
@Suite(.serialized) struct DurabilityTests {
    /// A folder that is removed at the end.
    private final class Folder {
        let url = RunningServer.newFolder()
        deinit { try? FileManager.default.removeItem(at: url) }
    }

    @Test("Q1, Q2, Q3: no job that was accepted is lost or made twice, however often the process is killed")
    func killedAgainAndAgain() async throws {
        let folder = Folder()
        let environment = ProcessInfo.processInfo.environment
        let count = environment["EASEL_TEST_JOBS"].flatMap { Int($0) } ?? 24
        let kills = environment["EASEL_TEST_KILLS"].flatMap { Int($0) } ?? 4
        var server = try await RunningServer(folder: folder.url)
        var accepted: [String] = []
        for index in 0..<count {
            let client = "client-\(index % 50)"
            accepted.append(
                try await server.job(
                    #"{"prompt": "job \#(index)", "steps": 3, "seed": \#(index)}"#, client: client))
            if index % 7 == 6, index < count / 2 {
                #expect(await server.end(SIGKILL) == 128 + SIGKILL)
                server = try await RunningServer(folder: folder.url)
            }
        }
        for _ in 0..<kills {
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...900)))
            _ = await server.end(SIGKILL)
            server = try await RunningServer(folder: folder.url)
        }
        var pictures: Set<String> = []
        for job in accepted {
            let ended = try await server.ended(job)
            // One that was begun three times when the process was killed is not tried again.
            let state = try ended.text("state")
            if state == "failed" {
                #expect(try ended.text("error", "code") == "gave_up")
                let again = try await server.post("/api/v1/jobs/\(job)/retry")
                let retried = try await server.ended(try #require(try again.text("id")))
                pictures.insert(try #require(try retried.text("pictures", "0", "id")))
                continue
            }
            #expect(state == "done")
            #expect(try ended.value("pictures")?.arrayValue?.count == 1)
            pictures.insert(try #require(try ended.text("pictures", "0", "id")))
        }
        #expect(pictures.count == count)
        // Every file is whole, and there is none that the gallery does not have.
        let files = try FileManager.default.subpathsOfDirectory(
            atPath: folder.url.appending(path: "pictures").path
        ).filter { $0.contains(".") }
        #expect(files.count == count)
        for id in pictures { #expect(try await server.get("/api/v1/pictures/\(id)/file").status == 200) }
    }

    @Test("Q7: a job that ends the process three times is not begun again")
    func poisonousJob() async throws {
        let folder = Folder()
        var server = try await RunningServer(folder: folder.url)
        let job = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60}"#)
        for _ in 0..<3 {
            while try await server.get("/api/v1/jobs/\(job)").text("state") != "running" {}
            _ = await server.end(SIGKILL)
            server = try await RunningServer(folder: folder.url)
        }
        let ended = try await server.get("/api/v1/jobs/\(job)")
        #expect(try ended.text("state") == "failed")
        #expect(try ended.text("error", "code") == "gave_up")
        #expect(
            try await server.ended(try await server.job(#"{"prompt": "b", "steps": 1}"#)).text("state")
                == "done")
    }

    @Test("Q8: two servers do not share a folder")
    func twoServers() async throws {
        let folder = Folder()
        let first = try await RunningServer(folder: folder.url)
        await #expect(throws: RunningServer.NotStarted.self) {
            _ = try await RunningServer(folder: folder.url)
        }
        #expect(try await first.get("/healthz").status == 200)
    }

    @Test("F7: a damaged database is kept aside, and the pictures come into the next one")
    func damagedDatabase() async throws {
        let folder = Folder()
        var server = try await RunningServer(folder: folder.url)
        let ended = try await server.ended(
            try await server.job(#"{"prompt": "a red apple", "steps": 1, "seed": 1}"#))
        let id = try #require(try ended.text("pictures", "0", "id"))
        #expect(await server.end() == 0)
        let file = folder.url.appending(path: "easel.sqlite")
        var bytes = try Data(contentsOf: file)
        bytes.replaceSubrange(0..<4096, with: [UInt8](repeating: 0xA5, count: 4096))
        try bytes.write(to: file)
        await #expect(throws: RunningServer.NotStarted.self) {
            _ = try await RunningServer(folder: folder.url)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
        #expect(names.contains { $0.hasPrefix("easel-damaged-") })
        server = try await RunningServer(folder: folder.url)
        var found: String?
        for _ in 0..<100 where found == nil {
            found = try await server.get("/api/v1/pictures?search=apple").text("pictures", "0", "id")
            if found == nil { try await Task.sleep(for: .milliseconds(50)) }
        }
        #expect(found == id)
    }

    @Test("SIGTERM lets a short job end, and puts a long one back")
    func termination() async throws {
        let folder = Folder()
        var server = try await RunningServer(["--shutdown-timeout", "0.2"], folder: folder.url)
        let job = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60}"#)
        while try await server.get("/api/v1/jobs/\(job)").text("state") != "running" {}
        let clock = ContinuousClock()
        let start = clock.now
        #expect(await server.end() == 0)
        #expect(start.duration(to: clock.now) < .seconds(10))
        server = try await RunningServer(["--shutdown-timeout", "30"], folder: folder.url)
        while try await server.get("/api/v1/jobs/\(job)").text("state") != "running" {}
        // It was put back as if it had not begun.
        #expect(try await server.get("/api/v1/jobs/\(job)").text("attempts") == "1")
        _ = try await server.post("/api/v1/jobs/\(job)/cancel")
        let short = try await server.job(#"{"prompt": "b", "steps": 20, "seed": 1}"#)
        while try await server.get("/api/v1/jobs/\(short)").text("state") == "queued" {}
        #expect(await server.end() == 0)
        server = try await RunningServer(folder: folder.url)
        #expect(try await server.get("/api/v1/jobs/\(short)").text("state") == "done")
    }

    @Test("Whoever waits when the server ends is told so, and streams end")
    func waitingClients() async throws {
        let server = try await RunningServer(["--shutdown-timeout", "0.2"])
        let job = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60}"#)
        async let stream = server.events("/api/v1/events", until: "never")
        async let running = server.post("/sdapi/v1/txt2img", #"{"prompt": "b", "steps": 150, "n_iter": 60}"#)
        async let waiting = server.post("/sdapi/v1/txt2img", #"{"prompt": "c", "steps": 1}"#)
        while try await server.get("/api/v1/status").text("queued") != "2" {}
        _ = try await server.post("/api/v1/jobs/\(job)/cancel")
        while try await server.get("/api/v1/status").text("queued") != "1" {}
        let clock = ContinuousClock()
        let start = clock.now
        #expect(await server.end() == 0)
        #expect(start.duration(to: clock.now) < .seconds(8))
        for answer in [try await running, try await waiting] {
            #expect(answer.status == 503 && !answer.headers["retry-after"].isEmpty)
        }
        #expect(try await !stream.isEmpty)
    }

    @Test("Commits are on the disk when they return")
    func synchronous() async throws {
        let folder = Folder()
        let server = try await RunningServer(folder: folder.url)
        _ = try await server.ended(try await server.job(#"{"prompt": "a", "steps": 1}"#))
        let pool = try DatabaseQueue(path: folder.url.appending(path: "easel.sqlite").path)
        let mode = try await pool.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") }
        #expect(mode == "wal")
        _ = server
    }
}
