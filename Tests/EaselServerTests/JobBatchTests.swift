import Checkpoints
import Foundation
import GRDB
import Testing

/// Jobs that are made at once, where that was measured to be faster.
@Suite(.serialized) struct JobBatchTests {
    /// A server that is told how fast it is: a picture of a batch takes much less time than one alone, or as much.
    private static func server(
        batchesAreFaster: Bool = true, side: Int = 128, _ options: [String] = [], folder: URL
    ) async throws -> RunningServer {
        let first = try await RunningServer(folder: folder)
        _ = try await first.ended(
            try await first.job(#"{"prompt": "a", "steps": 1, "width": \#(side), "height": \#(side)}"#))
        _ = await first.end()
        let database = try DatabaseQueue(path: folder.appending(path: "easel.sqlite").path)
        try await database.write { database in
            try database.execute(sql: "UPDATE speed SET pass = 1000, loading = 0, count = 100")
            for (size, pass) in [(2, 20), (4, 0)] {
                try database.execute(
                    sql: """
                        INSERT INTO speed
                        SELECT device, model, width, height, callsPerStep, ?, ?, rest, 0, 100, measured
                        FROM speed WHERE batch = 1
                        """, arguments: [size, batchesAreFaster ? pass : 1000])
            }
        }
        try database.close()
        return try await RunningServer(options, folder: folder)
    }

    private final class Folder {
        let url = RunningServer.newFolder()
        deinit { try? FileManager.default.removeItem(at: url) }
    }

    /// A job that keeps others waiting, when it runs.
    private static func blocker(_ server: RunningServer) async throws -> String {
        let job = try await server.job(
            #"{"prompt": "first", "steps": 150, "count": 60, "preview_interval": 0}"#, client: "other")
        while try await server.get("/api/v1/jobs/\(job)").text("state") != "running" {}
        return job
    }

    private static func batches(_ server: RunningServer) async throws -> Int {
        let text = try await server.get("/metrics").text
        return text.firstMatch(of: /easel_job_batches_total (\d+)/).flatMap { Int($0.1) } ?? 0
    }

    /// Jobs of several clients, in turn.
    private static func jobs(_ count: Int, steps: Int, _ server: RunningServer) async throws -> [String] {
        var jobs: [String] = []
        for index in 0..<count {
            let settings = #"""
                {"prompt": "job \#(index)", "negative_prompt": "\#(index % 2 == 0 ? "" : "dark")", "seed": \#(index * index),
                 "steps": \#(steps), "preview_interval": \#(index % 3)}
                """#
            jobs.append(try await server.job(settings, client: "client-\(index % 4)"))
        }
        return jobs
    }

    private static func pictures(_ jobs: [String], _ server: RunningServer) async throws -> [String?] {
        var pictures: [String?] = []
        for job in jobs {
            let ended = try await server.ended(job)
            #expect(try ended.text("state") == "done")
            #expect(try ended.value("pictures")?.arrayValue?.count == 1)
            #expect(try ended.text("attempts") == "1" && ended.text("progress") == "1")
            #expect(try ended.text("timings", "denoise") != nil)
            pictures.append(try ended.text("pictures", "0", "id"))
        }
        return pictures
    }

    @Test("Jobs of several clients are made at once, each as it would be alone")
    func together() async throws {
        let (folder, other) = (Folder(), Folder())
        var made: [[String?]] = []
        for (options, place, count) in [([], folder, 3), (["--jobs-at-once", "1"], other, 0)] {
            let server = try await Self.server(options, folder: place.url)
            let blocker = try await Self.blocker(server)
            let jobs = try await Self.jobs(12, steps: 3, server)
            async let events = server.events("/api/v1/jobs/\(jobs[5])/events", until: "done")
            try await Task.sleep(for: .milliseconds(200))
            _ = try await server.post("/api/v1/jobs/\(blocker)/cancel")
            // The picture's name is the hash of its file.
            made.append(try await Self.pictures(jobs, server))
            #expect(try await Self.batches(server) == count)
            let names = try await events.map(\.name)
            #expect(names.filter { $0 == "step" }.count == 3 && names.filter { $0 == "picture" }.count == 1)
            #expect(names.filter { $0 == "preview" }.count == 1)
            #expect(names.filter { $0 == "started" }.count == 1 && names.last == "done")
        }
        #expect(made[0] == made[1] && Set(made[0]).count == 12)
    }

    @Test("Where batches were measured to be no faster, jobs are made one by one")
    func oneByOne() async throws {
        let folder = Folder()
        let server = try await Self.server(batchesAreFaster: false, folder: folder.url)
        let blocker = try await Self.blocker(server)
        let jobs = try await Self.jobs(6, steps: 2, server)
        _ = try await server.post("/api/v1/jobs/\(blocker)/cancel")
        _ = try await Self.pictures(jobs, server)
        #expect(try await Self.batches(server) == 0)
    }

    @Test("What cannot be made at once is made one after another, and not tried again")
    func wantOfMemory() async throws {
        let folder = Folder()
        // Enough for two pictures at once, and not for four.
        let server = try await Self.server(
            side: 512, ["--memory", "fast", "--memory-limit", "600MB"], folder: folder.url)
        for batches in 1...2 {
            let blocker = try await Self.blocker(server)
            var jobs: [String] = []
            for seed in 0..<4 {
                jobs.append(
                    try await server.job(
                        #"{"prompt": "a", "steps": 1, "width": 512, "height": 512, "seed": \#(10 * batches + seed)}"#
                    ))
            }
            _ = try await server.post("/api/v1/jobs/\(blocker)/cancel")
            #expect(Set(try await Self.pictures(jobs, server)).count == 4)
            // Four failed; afterwards, two and two.
            #expect(try await Self.batches(server) == (batches == 1 ? 1 : 3))
        }
    }

    @Test("A server that knows nothing yet measures both, and then does what is faster")
    func learning() async throws {
        let server = try await RunningServer()
        let jobs = try await Self.jobs(30, steps: 4, server)
        _ = try await Self.pictures(jobs, server)
        // Both ways of the demo model's pictures were measured: alone twice, then at once twice.
        #expect(try await Self.batches(server) >= 2)
        #expect(await server.end() == 0)
        let database = try DatabaseQueue(
            path: server.folder.appending(path: "easel.sqlite").path)
        let sizes = try await database.read {
            try Int.fetchAll($0, sql: "SELECT batch FROM speed WHERE count >= 2 ORDER BY batch")
        }
        #expect(sizes.contains(1) && sizes.contains(4))
    }

    @Test("One that is cancelled is over at once, and the others are as they are alone")
    func cancelling() async throws {
        let (folder, other) = (Folder(), Folder())
        let server = try await Self.server(folder: folder.url)
        let blocker = try await Self.blocker(server)
        let jobs = try await Self.jobs(4, steps: 60, server)
        _ = try await server.post("/api/v1/jobs/\(blocker)/cancel")
        for job in jobs {
            while try await server.get("/api/v1/jobs/\(job)").text("step") == "0" {}
        }
        let cancelled = try await server.post("/api/v1/jobs/\(jobs[1])/cancel")
        #expect(try cancelled.text("state") == "cancelled")
        #expect(try await server.get("/api/v1/jobs/\(jobs[0])").text("state") == "running")
        let left = [jobs[0], jobs[2], jobs[3]]
        let made = try await Self.pictures(left, server)
        #expect(try await Self.batches(server) == 1)
        #expect(
            try await server.get("/api/v1/jobs/\(jobs[1])").value("pictures")?.arrayValue?.isEmpty == true)
        let alone = try await Self.server(["--jobs-at-once", "1"], folder: other.url)
        let again = try await Self.pictures(try await Self.jobs(4, steps: 60, alone), alone)
        #expect(made == [again[0], again[2], again[3]])
        // All of them, and the server is free.
        let next = try await Self.blocker(server)
        let more = try await Self.jobs(4, steps: 60, server)
        _ = try await server.post("/api/v1/jobs/\(next)/cancel")
        while try await server.get("/api/v1/jobs/\(more[3])").text("state") != "running" {}
        for job in more {
            #expect(try await server.post("/api/v1/jobs/\(job)/cancel").text("state") == "cancelled")
        }
        let last = try await server.job(#"{"prompt": "last", "steps": 1}"#)
        #expect(try await server.ended(last).text("state") == "done")
    }

    @Test("Interrupting finishes the client's own picture early, as it is alone")
    func interrupting() async throws {
        let folder = Folder()
        let server = try await Self.server(folder: folder.url)
        let blocker = try await Self.blocker(server)
        func paint(_ client: String) async throws -> RunningServer.Answer {
            try await server.ask(
                .POST, "/sdapi/v1/txt2img",
                json: #"{"prompt": "a", "steps": 150, "seed": 1, "width": 128, "height": 128}"#,
                headers: [("easel-client", client)])
        }
        async let first = paint("one")
        async let second = paint("two")
        while try await server.get("/api/v1/status").text("queued") != "2" {}
        _ = try await server.post("/api/v1/jobs/\(blocker)/cancel")
        while try await server.get("/sdapi/v1/progress?skip_current_image=true")
            .text("state", "sampling_step") == "0"
        {}
        _ = try await server.ask(
            .POST, "/sdapi/v1/interrupt", json: "{}", headers: [("easel-client", "two")])
        let images = try await [first.text("images", "0"), second.text("images", "0")]
        #expect(images[0] != nil && images[1] != nil && images[0] != images[1])
        #expect(try await Self.batches(server) == 1)
    }

    @Test("None overtakes another: a batch ends where another kind of job stands in the queue")
    func order() async throws {
        let folder = Folder()
        let server = try await Self.server(folder: folder.url)
        let blocker = try await Self.blocker(server)
        func job(_ client: String, _ more: String = "") async throws -> String {
            try await server.job(
                #"{"prompt": "a", "steps": 2, "preview_interval": 0\#(more)}"#, client: client)
        }
        let small = (try await job("a"), try await job("b"))
        let wide = try await job("c", #", "width": 192"#)
        let next = (try await job("a"), try await job("b"))
        let several = try await job("c", #", "count": 2"#)
        let urgent = try await job("d", #", "priority": 5"#)
        let wanted = [urgent, small.0, small.1, wide, next.0, next.1, several]
        let queue = try await server.get("/api/v1/jobs?state=queued").value("jobs")?.arrayValue ?? []
        #expect(queue.compactMap { $0.objectValue?["id"]?.stringValue } == wanted)
        _ = try await server.post("/api/v1/jobs/\(blocker)/cancel")
        var started: [String] = []
        for job in wanted { started.append(try #require(try await server.ended(job).text("started"))) }
        #expect(started == started.sorted())
        // The urgent one with the first of them, and the two behind the wide one.
        #expect(try await Self.batches(server) == 2)
    }

    @Test("A server that is killed begins a batch's jobs again, each alone, and one that ends parks them all")
    func kills() async throws {
        let folder = Folder()
        var server = try await Self.server(folder: folder.url)
        let blocker = try await Self.blocker(server)
        let jobs = try await Self.jobs(4, steps: 60, server)
        _ = try await server.post("/api/v1/jobs/\(blocker)/cancel")
        while try await server.get("/api/v1/jobs/\(jobs[3])").text("step") == "0" {}
        _ = await server.end(SIGKILL)
        server = try await RunningServer(["--shutdown-timeout", "0.1"], folder: folder.url)
        var images: Set<String?> = []
        for job in jobs {
            let ended = try await server.ended(job)
            #expect(try ended.text("state") == "done" && ended.text("attempts") == "2")
            images.insert(try ended.text("pictures", "0", "id"))
        }
        #expect(images.count == 4)
        #expect(try await Self.batches(server) == 0)

        let next = try await Self.blocker(server)
        let parked = try await Self.jobs(4, steps: 59, server)
        _ = try await server.post("/api/v1/jobs/\(next)/cancel")
        while try await server.get("/api/v1/jobs/\(parked[3])").text("step") == "0" {}
        #expect(await server.end() == 0)
        server = try await RunningServer(folder: folder.url)
        // As if they had not begun.
        _ = try await Self.pictures(parked, server)
        #expect(try await Self.batches(server) >= 1)
    }
}
