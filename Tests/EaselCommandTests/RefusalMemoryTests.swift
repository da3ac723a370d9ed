#if os(Linux)
    import Foundation
    import Testing

    /// A file whose header asks for much is refused before it gets it.
    @Suite struct RefusalMemoryTests {
        private let tool: Tool

        init() throws { tool = try Tool() }

        private static func safetensors(_ header: String) -> Data {
            withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8)
        }

        private static func gguf(_ words: [UInt64]) -> Data {
            Data("GGUF".utf8) + Data([3, 0, 0, 0])
                + words.reduce(into: Data()) { data, word in
                    withUnsafeBytes(of: word.littleEndian) { data.append(contentsOf: $0) }
                } + Data(count: 64)
        }

        /// A PNG of one pixel, up to the header of a text that is said to be 2 GB long.
        private static let pngOfALongText = Data(
            [137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2]
                + [0, 0, 0, 144, 119, 83, 222, 126, 0, 0, 10] + Array("tEXt".utf8))

        private static func list(_ text: String, _ count: Int) -> String {
            String(repeating: text + ",", count: count).dropLast() + ""
        }

        private static let files: [(name: String, file: @Sendable () -> Data)] = [
            (
                "entries",
                {
                    var header = "{"
                    for index in 0..<300_000 {
                        header += "\"t\(index)\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
                    }
                    return safetensors(header.dropLast() + "}")
                }
            ),
            (
                "texts",
                {
                    var header = "{\"__metadata__\":{"
                    for index in 0..<300_000 { header += "\"t\(index)\":\"a\"," }
                    return safetensors(header.dropLast() + "}}")
                }
            ),
            ("axes", { safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[\(list("1", 8_000_000))]}}") }),
            ("no entry", { safetensors("{\"a\":7" + String(repeating: " ", count: 16_000_000) + "}") }),
            ("length", { Data([0, 0, 0, 5, 0, 0, 0, 0]) + Data(count: 64) }),
            ("tensors", { gguf([1 << 24, 0]) }), ("metadata", { gguf([0, 1 << 32]) }),
            ("text", { gguf([0, 1, 1 << 40]) }),
            ("picture", { pngOfALongText + Data(count: 64) }), ("picture's end", { pngOfALongText }),
        ]

        @Test(arguments: files.indices)
        func aRefusalTakesLessThanAMebibyte(_ index: Int) async throws {
            let (name, file) = Self.files[index]
            try file().write(to: tool.file(name))
            try Data([1, 2]).write(to: tool.file("short"))
            // What is loaded of libraries varies, and the end of a run may be missed: the most that a file of two bytes
            // takes, beside the least that this one does.
            var (usual, taken) = (0, Int.max)
            for _ in 0..<25 where taken > usual + 1023 {
                usual = max(usual, try await peak(inspecting: "short"))
                taken = min(taken, try await peak(inspecting: name))
            }
            #expect(taken - usual < 1024, "\(name): \(taken - usual) KiB more")
        }

        /// The most memory that the tool had resident, in KiB, as far as was seen while it ran.
        private func peak(inspecting name: String) async throws -> Int {
            let process = Process()
            process.executableURL = Tool.executable
            process.arguments = ["inspect", tool.file(name).path]
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            let (ended, end) = AsyncStream.makeStream(of: Void.self)
            process.terminationHandler = { _ in end.finish() }
            try process.run()
            let status = "/proc/\(process.processIdentifier)/status"
            let watch = Task.detached {
                var peak = 0
                while !Task.isCancelled, let text = try? String(contentsOfFile: status, encoding: .utf8) {
                    let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
                    peak = max(peak, line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
                    usleep(200)
                }
                return peak
            }
            for await _ in ended {}
            watch.cancel()
            #expect(process.terminationStatus == 65)
            return await watch.value
        }
    }
#endif
