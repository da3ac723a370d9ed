import Foundation
import Synchronization
import Testing

// The pictures asked for would take longer than `Tool` waits after the interruption.
@Suite("Ctrl-C ends the tool soon, without leaving files", .serialized)
struct InterruptionTests {
    @Test func whileDenoising() async throws {
        let tool = try Tool()
        let result = try await tool.run(
            [
                "a cat", "-m", Tool.model("tiny-sd1").path, "--steps", "999", "-W", "1024", "-H", "1024",
                "--json",
            ],
            interrupt: .seconds(6))
        #expect(result.code == 130, "\(result.code) \(result.errors)")
        #expect(result.output == "")
        #expect(result.errors == "easel: interrupted\n")
        #expect(try tool.files == [])
    }

    @Test(arguments: [0, 10, 30, 100, 300])
    func soonAfterTheStart(_ milliseconds: Int) async throws {
        let tool = try Tool()
        let result = try await tool.run(
            ["a cat", "-m", Tool.model("tiny-sd1").path, "--steps", "999", "-W", "1024", "-H", "1024"],
            interrupt: .milliseconds(milliseconds))
        #expect(result.code == 130, "\(result.code) \(result.errors)")
        #expect(try tool.files == [])
    }

    /// A model's file takes seconds to write, or minutes.
    @Test(arguments: ["made", "made.safetensors", "made.gguf"])
    func whileWritingAModel(_ output: String) async throws {
        let tool = try Tool()
        try FullSizeFile.write("sd1", to: tool.file("model.safetensors"))
        let command = output.hasSuffix("gguf") ? ["quantize"] : ["convert", "--type", "f32"]
        let result = try await tool.run(
            command + ["model.safetensors", output, "--vocabulary"]
                + [Tool.model("tiny-sd1").appending(path: "tokenizer").path],
            interrupt: .zero, isReady: { (try? tool.files.contains { $0.hasPrefix(".easel-") }) ?? true },
            signalNumber: output == "made" ? SIGTERM : SIGINT)
        #expect(result.code == 130, "\(result.code) \(result.errors)")
        #expect(result.output == "" && result.errors == "easel: interrupted\n")
        #expect(try tool.files == ["model.safetensors"])
    }

    /// What is being written is not removed by a second one that writes beside it; what no one writes any more is.
    @Test(arguments: ["made", "made.safetensors"])
    func theNextConversionRemovesWhatAKilledOneLeft(_ output: String) async throws {
        let tool = try Tool()
        try FullSizeFile.write("sd1", to: tool.file("model.safetensors"))
        let vocabulary = ["--vocabulary", Tool.model("tiny-sd1").appending(path: "tokenizer").path]
        let unfinished = Mutex<[String]>([])
        let small = ["convert", Tool.model("tiny-sd1").path, "small.safetensors"]
        let killed = try await tool.run(
            ["convert", "--type", "f32", "model.safetensors", output] + vocabulary, interrupt: .zero,
            isReady: {
                let names = ((try? tool.files) ?? []).filter { $0.hasPrefix(".easel-") }
                unfinished.withLock { $0 = names }
                return !names.isEmpty
            },
            signalNumber: SIGKILL)
        #expect(killed.code == 128 + SIGKILL, "\(killed.code) \(killed.errors)")
        let left = unfinished.withLock { $0 }
        #expect(try left.count == 1 && tool.files == left + ["model.safetensors"])
        let held = open(tool.file(left[0]).path, O_RDONLY)
        #expect(flock(held, LOCK_EX | LOCK_NB) == 0)
        #expect(try await tool.run(small + vocabulary).code == 0)
        #expect(try tool.files == left + ["model.safetensors", "small.safetensors"])
        close(held)
        try FileManager.default.removeItem(at: tool.file("small.safetensors"))
        #expect(try await tool.run(small + vocabulary).code == 0)
        #expect(try tool.files == ["model.safetensors", "small.safetensors"])
    }
}

/// A file of a whole model's size whose weights are zeros, which take no room on the disk.
private enum FullSizeFile {
    private struct Document: Decodable { let tensors: [String: [Int]] }

    static func write(_ family: String, to url: URL) throws {
        let golden = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Golden/families/full-\(family).json")
        let tensors = try JSONDecoder().decode(Document.self, from: Data(contentsOf: golden)).tensors
        var (end, entries): (Int, [String]) = (0, [])
        for (name, shape) in tensors.sorted(by: { $0.key < $1.key }) {
            let start = end
            end += 2 * shape.reduce(1, *)
            entries.append(
                "\"\(name)\":{\"dtype\":\"F16\",\"shape\":\(shape),\"data_offsets\":[\(start),\(end)]}")
        }
        let header = Data("{\(entries.joined(separator: ","))}".utf8)
        try (withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header).write(to: url)
        let handle = try FileHandle(forWritingTo: url)
        try handle.truncate(atOffset: UInt64(8 + header.count + end))
        try handle.close()
    }
}
