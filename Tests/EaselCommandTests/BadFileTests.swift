import Foundation
import Testing

/// Files that someone made to do harm, or that came in pieces: the tool says what is wrong with which, does nothing that
/// they ask for, and ends soon.
@Suite struct BadFileTests {
    private let tool: Tool

    init() throws { tool = try Tool() }

    private static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    private static func safetensors(_ header: String, values: Int) -> [UInt8] {
        little(UInt64(header.utf8.count)) + Array(header.utf8) + Array(repeating: 0, count: values)
    }

    private static func gguf(tensors: UInt64, metadata: UInt64) -> [UInt8] {
        Array("GGUF".utf8) + little(UInt32(3)) + little(tensors) + little(metadata)
            + Array(repeating: 0, count: 64)
    }

    private static let tensor = "\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}"
    /// `posix.system("touch harm")`.
    private static let harm: [UInt8] =
        [0x80, 2, 0x63] + Array("posix\nsystem\n".utf8) + [0x58, 10, 0, 0, 0] + Array("touch harm".utf8)
        + [0x85, 0x52, 0x2E]
    /// A pickle's magic number and version, and nothing of the machine.
    private static let legacy: [UInt8] =
        [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
        + [0x80, 2, 0x4D, 0xE9, 3, 0x2E, 0x80, 2, 0x7D, 0x2E]

    private static let files: [(name: String, bytes: [UInt8], reason: String)] = [
        ("empty.safetensors", [], "this one has 0"),
        ("long.safetensors", little(UInt64(1000)) + [0x7B, 0x7D], "needs 1000 bytes"),
        ("huge.safetensors", little(UInt64.max) + [0x7B, 0x7D], "18446744073709551615"),
        ("half.safetensors", safetensors("{\(tensor)}", values: 9), "not downloaded completely"),
        ("behind.safetensors", safetensors("{\(tensor)}", values: 20), "4 bytes at the end"),
        ("twice.safetensors", safetensors("{\(tensor),\(tensor)}", values: 16), "occurs twice"),
        ("pickle.safetensors", harm, "begins like a pickle"),
        ("harm.ckpt", legacy + harm, "\"posix.system\""),
        ("cut.ckpt", legacy, "ends in the middle"),
        ("half.ckpt", [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 96), "not downloaded completely"),
        ("tensors.gguf", gguf(tensors: .max, metadata: 0), "18446744073709551615 tensors"),
        ("metadata.gguf", gguf(tensors: 0, metadata: 1 << 32), "4294967296 metadata"),
        (
            "pointer.safetensors",
            Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4265146304\n".utf8),
            "4265146304 bytes"
        ), ("page.safetensors", Array("<!DOCTYPE html><html></html>".utf8), "web page"),
    ]

    @Test(arguments: files.indices) func theReasonIsTold(_ index: Int) async throws {
        let (name, bytes, reason) = Self.files[index]
        try Data(bytes).write(to: tool.file(name))
        for arguments in [["inspect", name], ["a cat", "-m", name, "--steps", "1"]] {
            let result = try await tool.run(arguments)
            #expect(result.code == 65, "\(arguments): \(result.code) \(result.errors)")
            #expect(result.output == "")
            let lines = result.errors.split(separator: "\n")
            #expect(lines.count == 1 && result.errors.hasPrefix("easel: "), "\(result.errors)")
            #expect(result.errors.contains(name) && result.errors.contains(reason), "\(result.errors)")
        }
        #expect(try tool.files == [name])
    }

    @Test func pipesAreNotWaitedFor() async throws {
        #expect(mkfifo(tool.file("pipe").path, 0o600) == 0)
        for arguments in [
            ["inspect", "pipe"], ["a cat", "-m", "./pipe"], ["a cat", "--vae", "pipe", "--steps", "1"],
            ["a cat", "--lora", "pipe", "--steps", "1"], ["a cat", "--embedding", "pipe", "--steps", "1"],
            ["a cat", "--init-image", "pipe", "--steps", "1"], ["convert", "./pipe", "new.safetensors"],
        ] {
            let models = arguments.contains("./pipe") || arguments[0] == "inspect"
            let result = try await tool.run(
                arguments + (models ? [] : ["-m", Tool.model("tiny-sd1").path]))
            #expect(result.code == 65, "\(arguments): \(result.code) \(result.errors)")
            #expect(result.errors.contains("pipe"), "\(result.errors)")
        }
        #expect(try tool.files == ["pipe"])
    }

    /// What goes with a model is found by its name among other programs' folders.
    @Test func namesOfOtherProgramsFolders() async throws {
        let lora = tool.file("webui/models/Lora/styles/soft.safetensors")
        try FileManager.default.createDirectory(
            at: lora.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(Self.safetensors("{\(Self.tensor)}", values: 16)).write(to: lora)
        let model = ["-m", Tool.model("tiny-sd1").path, "--steps", "1", "--models-dir", "webui"]
        for arguments in [["a cat", "--lora", "soft:0.5"], ["a cat <lora:soft:0.5>"]] {
            let result = try await tool.run(arguments + model)
            #expect(result.code == 65, "\(result.errors)")
            #expect(
                result.errors.contains("styles/soft.safetensors: no LoRA"), "\(arguments): \(result.errors)")
        }
    }
}
