import Foundation
import Testing

@Suite("Progress on a terminal")
struct ProgressTests {
    /// All that a program writes to a terminal until it ends.
    private static func text(from terminal: Int32) async -> String {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 4096)
                while true {
                    let count = read(terminal, &buffer, buffer.count)
                    guard count > 0 else { break }
                    bytes += buffer[..<count]
                }
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    /// What is longer than a line goes on in the next one, from where it is not taken back.
    @Test(arguments: [40, 100]) func aLineIsNoLongerThanTheTerminalIsWide(_ width: UInt16) async throws {
        let tool = try Tool()
        var (reading, terminal): (Int32, Int32) = (-1, -1)
        var size = winsize(ws_row: 24, ws_col: width, ws_xpixel: 0, ws_ypixel: 0)
        try #require(openpty(&reading, &terminal, nil, nil, &size) == 0)
        defer { close(reading) }
        let process = Process()
        process.executableURL = Tool.executable
        process.arguments = [
            "a cat", "-m", Tool.model("tiny-sd1").path, "--precision", "f32", "--steps", "12", "--sampler",
            "euler",
            "--count", "2", "-o", tool.file("a.png").path,
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(fileDescriptor: terminal)
        try process.run()
        close(terminal)
        let lines = await Self.text(from: reading).components(separatedBy: "\r\u{1B}[K")
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(lines.allSatisfy { $0.count < width }, "\(lines)")
        #expect(lines.contains { $0.hasPrefix("picture 2/2") && $0.contains(" 12/12 ") }, "\(lines)")
        #expect(lines.contains { $0.contains(String(repeating: "█", count: 24)) } == (width == 100))
    }
}
