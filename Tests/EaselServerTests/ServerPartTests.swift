import Foundation
import NIOCore
import Synchronization
import Testing

@testable import EaselServer

/// Parts of the server by themselves.
@Suite struct ServerPartTests {
    @Test("Clients get their turns one after another, whoever was served longest ago first")
    func queueOrder() {
        func entry(_ id: String, _ client: String, _ priority: Int, _ place: Double) -> QueueOrder.Entry {
            QueueOrder.Entry(id: id, client: client, priority: priority, place: place)
        }
        let entries = [
            entry("a1", "a", 0, 1), entry("a2", "a", 0, 2), entry("a3", "a", 0, 3), entry("b1", "b", 0, 4),
            entry("b2", "b", 0, 5), entry("c1", "c", 0, 6), entry("late", "a", 3, 7),
            entry("last", "c", -1, 0),
        ]
        #expect(
            QueueOrder.sorted(entries, lastServed: [:])
                == ["late", "b1", "c1", "a1", "b2", "a2", "a3", "last"])
        #expect(
            QueueOrder.sorted(entries.filter { $0.priority == 0 }, lastServed: ["b": 5, "c": 9])
                == ["a1", "b1", "c1", "a2", "b2", "a3"])
        #expect(QueueOrder.sorted([], lastServed: [:]).isEmpty)
    }

    @Test("What is told of an error has no folders in it")
    func publicMessages() {
        for (text, told) in [
            ("/home/me/models/x.safetensors: damaged", "x.safetensors: damaged"),
            ("there is no \"/a/b c\" here", "there is no \"b c\" here"),
            ("and/or 1/2 (/x/y)", "and/or 1/2 (y)"), ("/one", "/one"), ("", ""),
        ] {
            #expect(PublicMessage.withoutFolders(text) == told)
        }
    }

    @Test("A picture's record names no folders, and its prompt stays as it was")
    func records() {
        let record = #"""
            {"embedding_folders":["/home/me/words"],"loras":[{"path":"/home/me/my loras/ink.safetensors","weight":0.5}],\#
            "prompt":"a /x/y (/z/w:1.1)","seed":18446744073709551615}
            """#
        let told = #"""
            {"embedding_folders":["words"],"loras":[{"path":"ink.safetensors","weight":0.5}],\#
            "prompt":"a /x/y (/z/w:1.1)","seed":18446744073709551615}
            """#
        #expect(PublicMessage.withoutFolders(record: record) == told)
        let plain = #"{"prompt": "/a/b"}"#
        #expect(PublicMessage.withoutFolders(record: plain) == plain)
    }

    @Test("Readers of events get what is new, of their job, or a sign of life")
    func eventLog() async {
        let log = EventLog()
        let start = log.lastID
        log.publish("a", job: "one", data: "1")
        log.publish("b", job: "two", data: "2")
        #expect(await log.news(after: start, of: nil).events.map(\.name) == ["a", "b"])
        #expect(await log.news(after: start, of: "two").events.map(\.name) == ["b"])
        let waiting = Task { await log.news(after: log.lastID, of: "one").events.map(\.name) }
        try? await Task.sleep(for: .milliseconds(50))
        log.publish("c", job: "two", data: "3")
        log.publish("d", job: "one", data: "4")
        #expect(await waiting.value == ["d"])
        let idle = Task { await log.news(after: log.lastID, of: "one").events.map(\.name) }
        try? await Task.sleep(for: .milliseconds(50))
        log.wake()
        #expect(await idle.value == [])
        let cancelled = Task { await log.news(after: log.lastID, of: "one").events.map(\.name) }
        cancelled.cancel()
        #expect(await cancelled.value == [])
        #expect(log.remembers(after: start) && !log.remembers(after: start - 5))
        for index in 0..<5000 { log.publish("e", job: nil, data: "\(index)") }
        #expect(!log.remembers(after: start))
        #expect(await log.news(after: log.lastID - 3, of: nil).events.count == 3)
        // One who is too slow is told so, whatever it reads of.
        let slow = await log.news(after: start, of: "one")
        #expect(slow.isIncomplete && slow.events.isEmpty && slow.last == log.lastID)
    }

    @Test("Figures are told as Prometheus reads them")
    func metrics() {
        let metrics = PrometheusMetrics()
        let counter = metrics.makeCounter(label: "a.b", dimensions: [("path", "/x\"y\\z")])
        counter.increment(by: 2)
        counter.increment(by: 1)
        metrics.makeRecorder(label: "level", dimensions: [], aggregate: false).record(1.5)
        metrics.makeTimer(label: "t", dimensions: []).recordNanoseconds(30_000_000)
        let lines = metrics.text.split(separator: "\n").map(String.init)
        #expect(lines.contains(#"a_b{path="/x\"y\\z"} 3"#))
        #expect(lines.contains("level 1.5"))
        #expect(lines.contains(#"t_bucket{le="0.025"} 0"#) && lines.contains(#"t_bucket{le="0.05"} 1"#))
        #expect(lines.contains(#"t_bucket{le="+Inf"} 1"#) && lines.contains("t_count 1"))
        #expect(lines.contains("t_sum 0.03"))
    }

    @Test("A minute's jobs are counted for each client")
    func rates() throws {
        let rate = RequestRate(perMinute: 2)
        let now = Date()
        try rate.count("a", now: now)
        try rate.count("a", now: now + 30)
        #expect(throws: APIError.self) { try rate.count("a", now: now + 59) }
        try rate.count("b", now: now + 59)
        try rate.count("a", now: now + 61)
    }

    @Test("Pictures are fetched from public machines alone")
    func remotePictures() async throws {
        for (address, isPublic) in [
            ("8.8.8.8", true), ("172.15.0.1", true), ("100.63.0.1", true), ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false), ("172.31.255.255", false), ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false), ("0.0.0.0", false), ("224.0.0.1", false), ("255.255.255.255", false),
            ("2606:4700::1111", true), ("::1", false), ("::", false), ("fe80::1", false), ("fc00::1", false),
            ("::ffff:127.0.0.1", false), ("::ffff:8.8.8.8", true), ("64:ff9b::7f00:1", false),
            ("2002:7f00:1::", false),
            ("2001:db8::1", false), ("ff02::1", false), ("::127.0.0.1", false),
        ] {
            let socket = try SocketAddress(ipAddress: address, port: 80)
            #expect(RemotePicture.isPublic(socket) == isPublic, "\(address)")
        }
        let remote = RemotePicture(limit: 1 << 20)
        for address in [
            "http://127.0.0.1/x.png", "http://localhost/", "http://[::1]/", "http://2130706433/",
            "http://0x7f.1/",
            "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "ftp://8.8.8.8/", "http:///",
            "//x",
        ] {
            await #expect(throws: APIError.self, "\(address)") {
                _ = try await remote.bytes(at: address, field: "init_images")
            }
        }
        let server = try await RunningServer()
        let local = RemotePicture(limit: 1 << 20) { _ in true }
        let fetched = try await local.bytes(
            at: "http://localhost:\(server.port)/healthz", field: "init_images")
        #expect(fetched == Data(#"{"status":"ok"}"#.utf8))
        // What is moved elsewhere, is not there, or is too large is not followed.
        let locked = try await RunningServer(["--token", "secret"])
        for (port, path) in [(server.port, "/no-such-path"), (locked.port, "/"), (99_999, "/"), (0, "/")] {
            await #expect(throws: APIError.self) {
                _ = try await local.bytes(at: "http://127.0.0.1:\(port)\(path)", field: "init_images")
            }
        }
        await #expect(throws: APIError.self) {
            _ = try await RemotePicture(limit: 100) { _ in true }
                .bytes(at: "http://127.0.0.1:\(server.port)/openapi.json", field: "init_images")
        }
    }

    @Test("Samplers are known by AUTOMATIC1111's names, old ones too")
    func samplerNames() throws {
        let old = try A1111Settings.sampler("DPM++ 2M Karras", schedule: nil)
        #expect(old.sampler == "DPM++ 2M" && old.schedule == "karras")
        let new = try A1111Settings.sampler("Euler a", schedule: "Automatic")
        #expect(new.sampler == "Euler a" && new.schedule == nil)
        #expect(throws: APIError.self) { try A1111Settings.sampler("Karras", schedule: nil) }
        #expect(throws: APIError.self) { try A1111Settings.sampler("Euler", schedule: "x") }
        #expect(A1111Models.name(ofTitle: "dream.safetensors [0123456789]") == "dream")
        #expect(A1111Models.name(ofTitle: "a [b] c") == "a [b] c")
        #expect(A1111Models.autoencoder(named: "fine.vae.pt") == "fine.vae")
        #expect(A1111Models.autoencoder(named: "fine") == "fine")
        #expect(A1111Models.autoencoder(named: "Automatic") == nil)
    }
}
