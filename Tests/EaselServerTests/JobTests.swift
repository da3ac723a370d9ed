import Checkpoints
import Foundation
import Imaging
import Testing

/// What becomes of jobs.
@Suite struct JobTests {
    private static let apple = #"{"prompt": "a red apple on a yellow background", "steps": 2, "seed": 5}"#

    @Test func aJobBecomesAPicture() async throws {
        let server = try await RunningServer()
        let job = try await server.job(Self.apple)
        let ended = try await server.ended(job)
        #expect(try ended.text("state") == "done")
        #expect(try ended.text("pictures", "0", "seed") == "5")
        let path = try #require(try ended.text("pictures", "0", "file"))
        let bytes = try await server.get(path).body
        let picture = try PictureFile(reading: Data(bytes), named: "the picture")
        #expect(picture.image.width == 128 && picture.image.height == 128)
        #expect(picture.notes.parameters?.hasPrefix("a red apple on a yellow background\nSteps: 2") == true)
        #expect(picture.notes.record?.contains(server.folder.path) == false)
        // The file is named by its bytes, and lies where nothing else does.
        let files = try FileManager.default.subpathsOfDirectory(
            atPath: server.folder.appending(path: "pictures").path
        ).filter { $0.hasSuffix(".png") }
        #expect(files.count == 1)
        // The same settings make the same picture, which is there once.
        let again = try await server.ended(try await server.job(Self.apple))
        #expect(try again.text("pictures", "0", "id") == ended.text("pictures", "0", "id"))
        #expect(try await server.get("/api/v1/pictures").value("pictures")?.arrayValue?.count == 1)
        // Made once more after another, it is the newest, and still found by its words.
        let other = try await server.ended(
            try await server.job(#"{"prompt": "a blue fish", "steps": 1, "seed": 1}"#))
        _ = try await server.ended(try await server.job(Self.apple))
        let list = try await server.get("/api/v1/pictures")
        #expect(try list.text("pictures", "0", "id") == ended.text("pictures", "0", "id"))
        #expect(try list.text("pictures", "1", "id") == other.text("pictures", "0", "id"))
        #expect(
            try await server.get("/api/v1/pictures?search=red+yell").value("pictures")?.arrayValue?.count == 1
        )
        let small = try await server.get(path.replacingOccurrences(of: "/file", with: "/thumbnail"))
        #expect(small.headers["content-type"] == ["image/jpeg"])
        #expect(await server.end() == 0)
    }

    @Test("Settings that are handed in come out of the picture again")
    func settingsOfAPicture() async throws {
        let server = try await RunningServer()
        let settings = #"""
            {"prompt": "a (blue:1.2) circle /or/so", "negative_prompt": "dark", "steps": 3, "seed": 9, "guidance_scale": 4,
             "sampler": "euler", "schedule": "karras", "width": 64, "height": 128, "clip_skip": 1}
            """#
        let ended = try await server.ended(try await server.job(settings))
        let file = try #require(try ended.text("pictures", "0", "file"))
        let bytes = try await server.get(file).body
        let upload = try await server.ask(
            .POST, "/api/v1/uploads", bytes: bytes, headers: [("content-type", "image/png")])
        #expect(upload.status == 201)
        for (field, value) in [
            ("prompt", "a (blue:1.2) circle /or/so"), ("negative_prompt", "dark"), ("steps", "3"),
            ("seed", "9"),
            ("sampler", "euler"), ("schedule", "karras"), ("width", "64"), ("height", "128"),
        ] {
            #expect(try upload.text("settings", field) == value, "\(field)")
        }
        // They make the same picture.
        let read = try #require(try upload.value("settings"))
        let again = try await server.ended(try await server.job(read.text))
        let (first, second) = (
            try PictureFile(reading: Data(bytes), named: "first").image,
            try PictureFile(
                reading: Data(
                    try await server.get(try #require(try again.text("pictures", "0", "file"))).body),
                named: "second"
            ).image
        )
        let isSame = first == second
        #expect(isSame)
    }

    @Test("Each of several varied pictures has the settings that make it again")
    func settingsOfVariations() async throws {
        let server = try await RunningServer()
        let made = try await server.ended(
            try await server.job(
                #"""
                {"prompt": "a", "steps": 1, "count": 2, "seed": 5, "subseed": 9, "subseed_strength": 0.5,
                 "width": 64, "height": 64}
                """#))
        for (index, subseed) in [("0", "9"), ("1", "10")] {
            #expect(try made.text("pictures", index, "settings", "subseed") == subseed)
            let settings = try #require(try made.value("pictures", index, "settings"))
            let again = try await server.ended(try await server.job(settings.text))
            #expect(try again.text("pictures", "0", "id") == made.text("pictures", index, "id"))
        }
    }

    @Test("A picture to start from, a mask and an extension change what they should")
    func pictures() async throws {
        let server = try await RunningServer()
        func image(_ answer: RunningServer.Answer) async throws -> Image {
            let path = try #require(try answer.text("pictures", "0", "file"))
            return try PictureFile(reading: Data(try await server.get(path).body), named: "picture").image
        }
        let first = try await server.ended(try await server.job(Self.apple))
        let id = try #require(try first.text("pictures", "0", "id"))
        let start = try await image(first)
        var mask = [UInt8](repeating: 0, count: 128 * 128 * 3)
        for y in 0..<128 { for x in 64..<128 { for c in 0..<3 { mask[(y * 128 + x) * 3 + c] = 255 } } }
        let upload = try await server.ask(
            .POST, "/api/v1/uploads",
            bytes: Array(try PictureFile(Image(width: 128, height: 128, pixels: mask)).encoded(as: .png)),
            headers: [("content-type", "image/png")])
        let maskID = try #require(try upload.text("id"))
        let painted = try await image(
            await server.ended(
                try await server.job(
                    #"{"prompt": "a blue circle", "steps": 4, "seed": 1, "strength": 0.9, "init_image": "\#(id)", "mask": "\#(maskID)"}"#
                )))
        let isKept =
            painted.cropped(x: 0, y: 0, width: 64, height: 128)
            == start.cropped(x: 0, y: 0, width: 64, height: 128)
        #expect(isKept)
        let isPainted = painted != start
        #expect(isPainted)
        let extended = try await image(
            await server.ended(
                try await server.job(
                    #"{"prompt": "a blue circle", "steps": 2, "seed": 1, "init_image": "\#(id)", "extend": {"right": 64}}"#
                )))
        #expect(extended.width == 192 && extended.height == 128)
    }

    @Test("Q4, Q5, Q6: cancelling what waits, what runs and what is over")
    func cancelling() async throws {
        let server = try await RunningServer()
        let long = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60}"#)
        let waiting = try await server.job(#"{"prompt": "b", "steps": 2}"#)
        let next = try await server.job(#"{"prompt": "c", "steps": 2}"#)
        let cancelled = try await server.post("/api/v1/jobs/\(waiting)/cancel")
        #expect(try cancelled.text("state") == "cancelled")
        #expect(try await server.get("/api/v1/jobs/\(long)").text("state") == "running")
        let clock = ContinuousClock()
        let start = clock.now
        let ended = try await server.post("/api/v1/jobs/\(long)/cancel")
        #expect(try ended.text("state") == "cancelled")
        #expect(start.duration(to: clock.now) < .seconds(3))
        #expect(try await server.post("/api/v1/jobs/\(long)/cancel").status == 409)
        #expect(try await server.ended(next).text("state") == "done")
        #expect(try await server.get("/api/v1/jobs/\(waiting)").text("attempts") == "0")
        let retried = try await server.post("/api/v1/jobs/\(waiting)/retry")
        #expect(retried.status == 201)
        let id = try #require(try retried.text("id"))
        #expect(try await server.ended(id).text("state") == "done")
        #expect(try await server.post("/api/v1/jobs/no-such-job/cancel").status == 404)
        #expect(try await server.ask(.DELETE, "/api/v1/jobs/\(id)").status == 204)
        #expect(try await server.get("/api/v1/jobs/\(id)").status == 404)
    }

    @Test("A job is cancelled at whichever moment it is asked for, as when it is just taken from the queue")
    func cancellingWhatBegins() async throws {
        let server = try await RunningServer()
        for index in 0..<40 {
            let job = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60}"#)
            try await Task.sleep(for: .microseconds(index * 100))
            let answer = try await server.post("/api/v1/jobs/\(job)/cancel")
            #expect(try answer.text("state") == "cancelled")
        }
    }

    @Test("Who waits is served by priority, clients in turn, and as they are moved")
    func order() async throws {
        let server = try await RunningServer()
        let first = try await server.job(#"{"prompt": "first", "steps": 150, "count": 30}"#, client: "greedy")
        var own: [String] = []
        for index in 0..<3 {
            own.append(try await server.job(#"{"prompt": "greedy \#(index)", "steps": 1}"#, client: "greedy"))
        }
        let modest = try await server.job(#"{"prompt": "modest", "steps": 1}"#, client: "modest")
        let urgent = try await server.job(
            #"{"prompt": "urgent", "steps": 1, "priority": 5}"#, client: "greedy")
        func queue() async throws -> [String] {
            let list = try await server.get("/api/v1/jobs?state=queued").value("jobs")?.arrayValue ?? []
            return list.compactMap { $0.objectValue?["id"]?.stringValue }
        }
        #expect(try await queue() == [urgent, modest, own[0], own[1], own[2]])
        let moved = try await server.post("/api/v1/jobs/\(own[2])/move", #"{"before": "\#(own[0])"}"#)
        #expect(moved.status == 200)
        #expect(try await queue() == [urgent, modest, own[2], own[0], own[1]])
        #expect(try await server.get("/api/v1/jobs/\(own[0])").text("position") == "4")
        #expect(try await server.post("/api/v1/jobs/\(first)/move", #"{"before": null}"#).status == 409)
        _ = try await server.post("/api/v1/jobs/\(first)/cancel")
        for id in own + [modest, urgent] { #expect(try await server.ended(id).text("state") == "done") }
    }

    @Test("A full queue says when to come back")
    func fullQueue() async throws {
        let server = try await RunningServer(["--queue-length", "3", "--per-client", "2"])
        let long = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60}"#, client: "first")
        func hand(_ client: String) async throws -> RunningServer.Answer {
            try await server.ask(
                .POST, "/api/v1/jobs", json: #"{"prompt": "b", "steps": 1}"#,
                headers: [("easel-client", client)])
        }
        while try await server.get("/api/v1/jobs/\(long)").text("state") != "running" {}
        #expect(try await hand("a").status == 201)
        #expect(try await hand("a").status == 201)
        let own = try await hand("a")
        #expect(own.status == 429 && !own.headers["retry-after"].isEmpty)
        #expect(try await hand("b").status == 201)
        let all = try await hand("c")
        #expect(all.status == 503 && !all.headers["retry-after"].isEmpty)
        #expect(try await server.get("/readyz").status == 503)
        #expect(try await server.get("/healthz").status == 200)
        _ = try await server.post("/api/v1/jobs/\(long)/cancel")
    }

    @Test("Events tell what happens, in order, and go on from the last that was seen")
    func events() async throws {
        let server = try await RunningServer()
        let long = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60}"#)
        let job = try await server.job(#"{"prompt": "b", "steps": 3}"#)
        async let seen = server.events("/api/v1/jobs/\(job)/events", until: "done")
        try await Task.sleep(for: .milliseconds(300))
        _ = try await server.post("/api/v1/jobs/\(long)/cancel")
        let events = try await seen
        let names = events.map(\.name)
        #expect(names.first == "queued" && names.last == "done")
        #expect(names.filter { $0 == "step" }.count == 3)
        #expect(names.filter { $0 == "preview" }.count == 3)
        #expect(names.contains("picture") && names.contains("stage"))
        let preview = try JSONValue(
            parsing: Array(try #require(events.first { $0.name == "preview" }).data.utf8), named: "preview")
        let address = try #require(preview.objectValue?["image"]?.stringValue)
        let bytes = try #require(Data(base64Encoded: String(address.drop { $0 != "," }.dropFirst())))
        #expect(try PictureFile(reading: bytes, named: "preview").image.width == 16)
        // One who comes late is told how it ended.
        #expect(try await server.events("/api/v1/jobs/\(job)/events", until: "done").map(\.name) == ["done"])
        // One who was there goes on from where it was; one who was there too long ago is told how it is now.
        let third = try #require(events.firstIndex { $0.name == "preview" })
        let rest = try await server.events(
            "/api/v1/jobs/\(job)/events", until: "done", lastID: events[third].id)
        #expect(rest.map(\.id) == events[(third + 1)...].map(\.id))
        let query = try await server.events(
            "/api/v1/jobs/\(job)/events?last_event_id=\(events[third].id)", until: "done")
        #expect(query.map(\.id) == rest.map(\.id))
        // One who has seen the end is told that there is no more: a browser then stops asking.
        let end = try #require(events.last?.id)
        let over = try await server.ask(
            .GET, "/api/v1/jobs/\(job)/events", headers: [("last-event-id", end)])
        #expect(over.status == 204 && over.body.isEmpty)
        let all = try await server.events("/api/v1/events", until: "queue", lastID: "1")
        #expect(all.map(\.name) == ["queue"])
    }
}
