import Foundation
import Testing

@testable import EaselServer

/// How long jobs are expected to take.
@Suite struct SpeedTests {
    private static func settings(_ side: Int, steps: Int = 10, sampler: String? = nil) -> JobSettings {
        var settings = JobSettings(prompt: "")
        (settings.width, settings.height) = (side, side)
        (settings.steps, settings.guidanceScale, settings.sampler) = (steps, 1, sampler)
        return settings
    }

    @Test("What was measured is scaled to other settings, the nearest size first")
    func estimates() async throws {
        let folder = RunningServer.newFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = try ServerDatabase(in: folder)
        let speed = try JobSpeed(database.pool, device: "cpu")
        #expect(speed.seconds(Self.settings(512), model: "a") == nil)
        await speed.learn(Self.settings(512), model: "a", timings: ["denoise": 10, "decode": 1])
        #expect(speed.seconds(Self.settings(512), model: "a") == 11)
        #expect(speed.seconds(Self.settings(512, steps: 20), model: "a") == 21)
        #expect(speed.secondsPerStep(Self.settings(512), model: "a") == 1)
        #expect(speed.seconds(Self.settings(512, sampler: "heun"), model: "a") == 21)
        #expect(speed.seconds(Self.settings(1024), model: "a") == 41)
        #expect(speed.seconds(Self.settings(512), model: "b") == nil)
        var guided = Self.settings(512)
        guided.guidanceScale = 7
        #expect(speed.seconds(guided, model: "a") == 21)
        // Large pictures are slower than their pixels say.
        await speed.learn(Self.settings(1024), model: "a", timings: ["denoise": 80, "decode": 4])
        #expect(speed.seconds(Self.settings(1024), model: "a") == 84)
        #expect(speed.seconds(Self.settings(512), model: "a") == 11)
        #expect(speed.seconds(Self.settings(64), model: "a").map { $0 < 2 } == true)
        await speed.learn(Self.settings(1024), model: "a", timings: ["denoise": 40, "decode": 4])
        #expect(speed.seconds(Self.settings(1024), model: "a") == 64)

        // Another process knows it; another device does not.
        let again = try JobSpeed(database.pool, device: "cpu")
        #expect(again.seconds(Self.settings(1024), model: "a") == 64)
        #expect(again.seconds(Self.settings(512), model: "a") == 11)
        #expect(try JobSpeed(database.pool, device: "gpu").seconds(Self.settings(512), model: "a") == nil)
    }

    @Test("Jobs that are faster at once are expected to take less time, as many as may be made so")
    func jobsAtOnce() async throws {
        let folder = RunningServer.newFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let speed = try JobSpeed(try ServerDatabase(in: folder).pool, device: "cpu")
        let settings = Self.settings(128)
        for _ in 0..<BatchChoice.tries {
            await speed.learn(settings, model: "a", timings: ["denoise": 1, "decode": 0.5])
        }
        #expect(speed.seconds(settings, model: "a", of: 8, atOnce: 4) == 12)
        for _ in 0..<BatchChoice.tries {
            await speed.learn(settings, model: "a", timings: ["denoise": 2, "decode": 2], batch: 4)
        }
        #expect(speed.seconds(settings, model: "a", of: 8, atOnce: 4) == 8)
        #expect(speed.seconds(settings, model: "a", of: 8, atOnce: 1) == 12)
        #expect(speed.seconds(settings, model: "a", of: 1, atOnce: 4) == 1.5)
        var several = settings
        several.count = 2
        #expect(speed.seconds(several, model: "a", of: 8, atOnce: 4) == 20)
    }

    @Test("No more is kept than may be")
    func limit() async throws {
        let folder = RunningServer.newFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = try ServerDatabase(in: folder)
        try await database.pool.write { database in
            for index in 0..<1000 {
                try database.execute(
                    sql: "INSERT INTO speed VALUES ('cpu', ?, 64, 64, 1, 1, 1, 1, 0, 1, ?)",
                    arguments: ["model \(index)", index])
            }
        }
        let speed = try JobSpeed(database.pool, device: "cpu")
        await speed.learn(Self.settings(512), model: "new", timings: ["denoise": 10])
        for known in [speed, try JobSpeed(database.pool, device: "cpu")] {
            #expect(known.seconds(Self.settings(64), model: "model 0") == nil)
            #expect(known.seconds(Self.settings(64), model: "model 1") != nil)
            #expect(known.seconds(Self.settings(512), model: "new") == 10)
        }
    }

    @Test("A server that was just started estimates at once; models that are not open have their own sizes")
    func restart() async throws {
        let folder = RunningServer.newFolder()
        let models = RunningServer.newFolder()
        defer {
            for url in [folder, models] { try? FileManager.default.removeItem(at: url) }
        }
        // The demo model, as if it was made for larger pictures.
        let other = models.appending(path: "diffusers/other")
        try FileManager.default.createDirectory(
            at: other.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: RunningServer.demoModel, to: other)
        let unet = other.appending(path: "unet/config.json")
        try String(contentsOf: unet, encoding: .utf8)
            .replacing("\"sample_size\": 16", with: "\"sample_size\": 24")
            .write(to: unet, atomically: true, encoding: .utf8)

        let options = ["--models-dir", models.path]
        var server = try await RunningServer(options, folder: folder)
        let list = try await server.get("/api/v1/models")
        #expect(try list.text("models", "0", "width") == "128")
        #expect(try list.text("models", "1", "width") == "192" && list.text("models", "1", "height") == "192")
        #expect(try await server.get("/api/v1/status").text("seconds_per_step") == nil)
        let job = try await server.job(#"{"prompt": "a", "steps": 4}"#)
        _ = try await server.ended(job)
        let known = try #require(
            try await server.get("/api/v1/status").text("seconds_per_step").flatMap(Double.init))
        #expect(await server.end() == 0)
        server = try await RunningServer(options, folder: folder)
        let kept = try await server.get("/api/v1/status").text("seconds_per_step").flatMap(Double.init)
        #expect(kept == known)
    }

    @Test("A job that waits for a long one is not expected before it")
    func waiting() async throws {
        let server = try await RunningServer()
        let first = try await server.job(#"{"prompt": "a", "steps": 4, "seed": 1}"#)
        _ = try await server.ended(first)
        // So long that it runs as long as this test does, and of a size that the U-Net is yet to be compiled for.
        let long = try await server.job(
            #"{"prompt": "a", "steps": 150, "count": 64, "seed": 1, "width": 512, "height": 512}"#)
        while try await server.get("/api/v1/status").text("running") != long {
            try await Task.sleep(for: .milliseconds(5))
        }
        let next = try await server.job(#"{"prompt": "a", "steps": 4, "seed": 1}"#)
        let view = try await server.get("/api/v1/jobs/\(next)")
        let step = try #require(
            try await server.get("/api/v1/status").text("seconds_per_step").flatMap(Double.init))
        let left = try #require(try view.text("seconds_left").flatMap(Double.init))
        #expect(left > step * 150 * 64 / 10)
        _ = try await server.post("/api/v1/jobs/\(long)/cancel")
        #expect(await server.end() == 0)
    }
}
