import Foundation
import Testing

/// What is set in a file and in the environment instead of with options.
@Suite struct ServerSettingTests {
    private static func isTooLarge(_ byteCount: Int, _ server: RunningServer) async throws -> Bool {
        let bytes = [UInt8](repeating: 0x61, count: byteCount)
        return try await server.ask(
            .POST, "/api/v1/uploads", bytes: bytes, headers: [("content-type", "image/png")]
        ).status == 413
    }

    @Test func anyOptionCanBeSet() async throws {
        let folder = RunningServer.newFolder()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "server.json")
        try Data(#"{"max-body": "2kB", "precision": "bf16", "allow-host": ["a.test", "b.test"]}"#.utf8).write(
            to: file)
        let server = try await RunningServer(["--config", file.path])
        #expect(try await !Self.isTooLarge(100, server))
        #expect(try await Self.isTooLarge(3000, server))
        for (host, isKnown) in [("b.test", true), ("c.test", false)] {
            let answer = try await server.ask(.GET, "/api/v1/jobs", headers: [("Host", host)])
            #expect((answer.status == 200) == isKnown, "\(host): \(answer.status)")
        }

        // The environment stands above the file, and options above both.
        let other = try await RunningServer(
            ["--config", file.path], environment: ["EASEL_MAX_BODY": "4kB", "EASEL_ALLOW_HOST": "c.test"])
        #expect(try await !Self.isTooLarge(3000, other))
        #expect(try await other.ask(.GET, "/api/v1/jobs", headers: [("Host", "c.test")]).status == 200)
        let third = try await RunningServer(
            ["--config", file.path, "--max-body", "2000"], environment: ["EASEL_MAX_BODY": "4kB"])
        #expect(try await Self.isTooLarge(3000, third))
    }
}
