import AsyncHTTPClient
import Foundation
import NIOCore
import Testing

/// Many clients at once, and many requests after one another.
@Suite(.serialized) struct LoadTests {
    @Test("A thousand clients see the same job end")
    func manyStreams() async throws {
        let server = try await RunningServer()
        // All networks are ready after it.
        #expect(
            try await server.post(
                "/sdapi/v1/txt2img", #"{"prompt": "a", "steps": 1, "width": 128, "height": 128}"#
            ).status == 200)
        let long = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60}"#)
        let job = try await server.job(#"{"prompt": "b", "steps": 3, "seed": 1}"#)
        while try await server.get("/api/v1/jobs/\(long)").text("step") == "0" {}
        let before = server.residentMemory
        let count = 1000
        let ends = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<count {
                group.addTask {
                    try await server.events("/api/v1/jobs/\(job)/events", until: "done").last?.name == "done"
                }
            }
            // All of them are there, and the server still answers.
            while try await server.get("/metrics").text.firstMatch(of: /easel_event_streams (\d+)/)?.1
                != "1000"
            {
                try await Task.sleep(for: .milliseconds(50))
            }
            let clock = ContinuousClock()
            var slowest = Duration.zero
            for _ in 0..<20 {
                let start = clock.now
                #expect(try await server.get("/healthz").status == 200)
                slowest = max(slowest, start.duration(to: clock.now))
            }
            #expect((server.residentMemory - before) / count < 64 << 10)
            _ = try await server.post("/api/v1/jobs/\(long)/cancel")
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(ends == count)
    }

    @Test("Clients that vanish leave nothing behind")
    func vanishedClients() async throws {
        let server = try await RunningServer()
        let long = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60, "preview_interval": 0}"#)
        for _ in 0..<40 {
            // Gone before the first event is read.
            _ = try await RawConnection.exchange(
                server.port,
                [Array("GET /api/v1/jobs/\(long)/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)],
                pause: .milliseconds(5), patience: .zero)
        }
        var open = "?"
        for _ in 0..<200 where open != "0" {
            open =
                try await server.get("/metrics").text.firstMatch(of: /easel_event_streams (\d+)/).map {
                    String($0.1)
                } ?? "?"
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(open == "0")
        _ = try await server.post("/api/v1/jobs/\(long)/cancel")
    }

    /// A twelfth of what `Benchmarks/server_day.py` asks for.
    @Test("A client's many jobs, one after another, leave memory as it is")
    func manyJobs() async throws {
        let server = try await RunningServer(["--jobs-per-minute", "1000000"])
        func work(_ jobs: Range<Int>) async throws {
            for index in jobs {
                let settings = "\"steps\": 2, \"seed\": \(index), \"width\": 128, \"height\": 128"
                switch index % 3 {
                case 0:
                    let job = try await server.job("{\"prompt\": \"a fish \(index)\", \(settings)}")
                    let events = try await server.events("/api/v1/jobs/\(job)/events", until: "done")
                    #expect(events.last?.name == "done")
                case 1:
                    let body = "{\"prompt\": \"a rose \(index)\", \(settings)}"
                    #expect(try await server.post("/sdapi/v1/txt2img", body).status == 200)
                    #expect(try await server.get("/sdapi/v1/progress").status == 200)
                default:
                    let body =
                        "{\"prompt\": \"a key \(index)\", \"size\": \"128x128\", \"easel\": {\(settings)}}"
                    #expect(try await server.post("/v1/images/generations", body).status == 200)
                }
                let page = try await server.get("/api/v1/pictures")
                let picture = try #require(try page.text("pictures", "0", "id"))
                for part in ["file", "thumbnail"] {
                    let path = try #require(try page.text("pictures", "0", part))
                    #expect(try await server.get(path).status == 200)
                }
                for path in ["/", "/api/v1/jobs", "/api/v1/pictures?search=fish"] {
                    #expect(try await server.get(path).status == 200)
                }
                if index.isMultiple(of: 2) {
                    #expect(try await server.ask(.DELETE, "/api/v1/pictures/\(picture)").status < 300)
                }
            }
        }
        try await work(0..<60)
        #expect(try await server.memoryGrown { try await work(60..<240) } < 4 << 20)
    }

    @Test("Pictures of changing sizes leave memory as it is")
    func changingSizes() async throws {
        let server = try await RunningServer()
        func work(_ changes: Range<Int>) async throws {
            for index in changes {
                let side = index.isMultiple(of: 2) ? 64 : 128
                let body = "{\"prompt\": \"a\", \"steps\": 1, \"width\": \(side), \"height\": \(side)}"
                #expect(try await server.post("/sdapi/v1/txt2img", body).status == 200)
            }
        }
        try await work(0..<12)
        #expect(try await server.memoryGrown { try await work(12..<60) } < 16 << 20)
    }

    @Test("Malformed requests are refused one and all, and take no memory")
    func malformedRequests() async throws {
        let server = try await RunningServer()
        var generator = SystemRandomNumberGenerator()
        let paths = [
            "/", "/api/v1/jobs", "/api/v1/jobs/x/cancel", "/api/v1/pictures/x", "/api/v1/uploads",
            "/v1/images/edits",
            "/sdapi/v1/txt2img", "/sdapi/v1/img2img", "/sdapi/v1/png-info", "/v1/images/generations",
            "/login",
        ]
        let seeds = [
            "{\"prompt\": \"a\", \"steps\": 99999999999999999999}", "{\"prompt\": {\"a\": []}}", "[[[[", "\"",
            "nul",
            "{\"init_images\": [\"data:image/png;base64,AAAA\"]}",
            "--x\r\nContent-Disposition: form-data\r\n\r\n--x--",
            "{\"image\": \"iVBORw0KGgo=\"}", "\u{0}\u{1}\u{2}", "{\"prompt\":\"\\ud800\"}",
            "{\"before\": 1e999}",
        ]
        let types = ["application/json", "multipart/form-data; boundary=x", "image/png", "text/plain"]
        func attack(_ count: Int) async throws {
            for _ in 0..<count {
                let path = paths.randomElement(using: &generator)!
                // There an object that is changed, or that is right but for what is not read, asks for a picture: its memory is not meant.
                let paints = ["/api/v1/jobs", "/sdapi/v1/txt2img", "/v1/images/generations"].contains(path)
                let seed = (paints ? seeds[1..<5] : seeds[...]).randomElement(using: &generator)!
                var body = Array(seed.utf8)
                let changes = paints && seed.hasPrefix("{") ? 0 : Int.random(in: 0...4, using: &generator)
                for _ in 0..<changes where !body.isEmpty {
                    body[Int.random(in: body.indices, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
                let answer = try await server.ask(
                    Int.random(in: 0..<5, using: &generator) == 0 ? .PATCH : .POST, path, bytes: body,
                    headers: [("content-type", types.randomElement(using: &generator)!)])
                #expect(answer.status < 500, "\(path) \(String(decoding: body, as: UTF8.self))")
            }
        }
        try await attack(4000)
        #expect(try await server.memoryGrown { try await attack(6000) } < 24 << 20)
        #expect(try await server.get("/api/v1/pictures").body.count < 200)
    }
}
