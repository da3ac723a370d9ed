import Foundation
import Testing

/// A server whose disk is full (F1 of bad input).
@Suite struct FullDiskTests {
    /// A small file system in memory, which is gone when this is released.
    private final class SmallDisk {
        let folder = RunningServer.newFolder()

        init?() throws {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            guard Self.run("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder.path]) else {
                try FileManager.default.removeItem(at: folder)
                return nil
            }
        }

        deinit {
            _ = Self.run("umount", ["-l", folder.path])
            try? FileManager.default.removeItem(at: folder)
        }

        /// Writes until there is no room.
        ///
        /// - Parameter room: How many bytes are left.
        func fill(leaving room: Int = 0) throws {
            let file = folder.appending(path: "filler")
            let descriptor = open(file.path, O_WRONLY | O_CREAT, 0o600)
            defer { close(descriptor) }
            let block = [UInt8](repeating: 1, count: 4096)
            var size = 0
            while write(descriptor, block, block.count) == block.count { size += block.count }
            ftruncate(descriptor, off_t(max(size - room, 0)))
        }

        func empty() throws { try FileManager.default.removeItem(at: folder.appending(path: "filler")) }

        private static func run(_ program: String, _ arguments: [String]) -> Bool {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [program] + arguments
            process.standardError = FileHandle.nullDevice
            do { try process.run() } catch { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }
    }

    @Test(
        "A job that cannot be written fails and says so; nothing is lost, and with room all goes on",
        arguments: [0, 20_000, 60_000])
    func fullDisk(room: Int) async throws {
        // Only root mounts.
        guard let disk = try SmallDisk() else { return }
        let server = try await RunningServer(folder: disk.folder.appending(path: "data"))
        let first = try await server.ended(
            try await server.job(#"{"prompt": "a red apple", "steps": 1, "seed": 1}"#))
        let kept = try #require(try first.text("pictures", "0", "id"))
        try disk.fill(leaving: room)
        var accepted: [String] = []
        for seed in 2..<6 {
            let answer = try await server.post(
                "/api/v1/jobs", #"{"prompt": "a red apple", "steps": 1, "seed": \#(seed)}"#)
            if answer.status == 201 {
                accepted.append(try #require(try answer.text("id")))
            } else {
                #expect(answer.status == 503, "\(answer.text)")
                #expect(try answer.text("error", "code") == "storage")
            }
        }
        try await Task.sleep(for: .seconds(2))
        #expect(try await server.get("/healthz").status == 200)
        #expect(try await server.get("/api/v1/pictures/\(kept)/file").status == 200)
        try disk.empty()
        for job in accepted {
            let ended = try await server.ended(job)
            let state = try ended.text("state")
            let code = try ended.text("error", "code")
            #expect(state == "done" || (state == "failed" && code == "not_written"), "\(ended.text)")
        }
        let last = try await server.ended(
            try await server.job(#"{"prompt": "a red apple", "steps": 1, "seed": 9}"#))
        #expect(try last.text("state") == "done")
        let names = try FileManager.default.subpathsOfDirectory(atPath: disk.folder.path)
        #expect(!names.contains { $0.hasSuffix(".tmp") })
        #expect(await server.end() == 0)
    }
}
