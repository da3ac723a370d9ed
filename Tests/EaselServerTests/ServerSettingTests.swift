import Foundation
import Testing

/// What is set in a file and in the environment instead of with options.
@Suite struct ServerSettingTests {
    private static func status(_ server: RunningServer, bytes: Int) async throws -> UInt {
        let text = String(repeating: "a", count: bytes)
        return try await server.post("/api/v1/tokens", #"{"text": "\#(text)"}"#).status
    }

    @Test func anyOptionCanBeSet() async throws {
        let folder = RunningServer.newFolder()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "server.json")
        try Data(#"{"max-body": "2kB", "precision": "bf16", "allow-host": ["a.test", "b.test"]}"#.utf8).write(
            to: file)
        let server = try await RunningServer(["--config", file.path])
        #expect(try await Self.status(server, bytes: 100) == 200)
        #expect(try await Self.status(server, bytes: 3000) == 413)
        for (host, isKnown) in [("b.test", true), ("c.test", false)] {
            let answer = try await server.ask(.GET, "/api/v1/jobs", headers: [("Host", host)])
            #expect((answer.status == 200) == isKnown, "\(host): \(answer.status)")
        }

        // The environment stands above the file, and options above both.
        let other = try await RunningServer(
            ["--config", file.path], environment: ["EASEL_MAX_BODY": "4kB", "EASEL_ALLOW_HOST": "c.test"])
        #expect(try await Self.status(other, bytes: 3000) == 200)
        #expect(try await other.ask(.GET, "/api/v1/jobs", headers: [("Host", "c.test")]).status == 200)
        let third = try await RunningServer(
            ["--config", file.path, "--max-body", "2000"], environment: ["EASEL_MAX_BODY": "4kB"])
        #expect(try await Self.status(third, bytes: 3000) == 413)
    }
}
