import Foundation
import Imaging
import Testing

@Suite("Pictures are written where the user says")
struct OutputTests {
    let tool: Tool

    init() throws { tool = try Tool() }

    private func png(_ name: String) throws -> PNG {
        try PNG(reading: Data(contentsOf: tool.file(name)), named: name)
    }

    @Test func nextToTheUserByDefault() async throws {
        let result = try await tool.generate("a red apple", "--seed", "42")
        #expect(result.code == 0, "\(result.errors)")
        #expect(try tool.files == ["easel-42.png"])
        #expect(result.lines.count == 1)
        #expect(result.lines[0].contains("easel-42.png") && result.lines[0].contains("seed 42"))
    }

    @Test func toAFile() async throws {
        #expect(try await tool.generate("a cat", "--seed", "1", "-o", "cat.png").code == 0)
        #expect(try await tool.generate("a cat", "--seed", "1", "-o", "dog").code == 0)
        #expect(try tool.files == ["cat.png", "dog.png"])
        #expect(try png("cat.png") == png("dog.png"))
    }

    @Test func aFileThatIsThereIsReplaced() async throws {
        try Data("old".utf8).write(to: tool.file("cat.png"))
        #expect(try await tool.generate("a cat", "--seed", "1", "-o", "cat.png").code == 0)
        #expect(try tool.files == ["cat.png"])
        #expect(try png("cat.png").image.width == 64)
    }

    @Test func toAFolder() async throws {
        try FileManager.default.createDirectory(
            at: tool.file("pictures"), withIntermediateDirectories: true)
        #expect(try await tool.generate("a cat", "--seed", "7", "--count", "2", "-o", "pictures").code == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: tool.file("pictures").path).sorted()
                == ["easel-7.png", "easel-8.png"])
    }

    @Test func modelsAreWrittenAsTheirEndingSays() async throws {
        for (name, isFolder) in [("one.safetensors", false), ("two.SafeTensors", false), ("three", true)] {
            let result = try await tool.run("convert", Tool.model("tiny-sd1").path, name)
            #expect(result.code == 0, "\(result.errors)")
            var isThere: ObjCBool = false
            #expect(FileManager.default.fileExists(atPath: tool.file(name).path, isDirectory: &isThere))
            #expect(isThere.boolValue == isFolder, "\(name)")
        }
    }

    @Test func aFolderThatIsNotThereIsMade() async throws {
        #expect(try await tool.generate("a cat", "--seed", "7", "-o", "new/").code == 0)
        #expect(FileManager.default.fileExists(atPath: tool.file("new/easel-7.png").path))
    }

    @Test func severalUnderOneNameAreNumbered() async throws {
        let result = try await tool.generate("a cat", "--seed", "7", "--count", "3", "-o", "cat.png")
        #expect(result.code == 0)
        #expect(try tool.files == ["cat-1.png", "cat-2.png", "cat-3.png"])
        #expect(result.lines.count == 3)
    }

    @Test func thePictureCarriesItsSettings() async throws {
        let result = try await tool.generate(
            "a red apple, é 🍎", "-n", "blurry", "--seed", "42", "--sampler", "euler", "--guidance-scale",
            "3.5",
            "-W", "72", "-o", "apple.png")
        #expect(result.code == 0, "\(result.errors)")
        let picture = try png("apple.png")
        #expect((picture.image.width, picture.image.height) == (72, 64))
        #expect(picture.texts.map(\.keyword) == ["parameters", "easel"])
        let settings = try #require(GenerationMetadata(parameters: picture.texts[0].text))
        #expect(settings.prompt == "a red apple, é 🍎")
        #expect(settings.negativePrompt == "blurry")
        #expect((settings.steps, settings.seed, settings.guidanceScale) == (1, 42, 3.5))
        #expect((settings.width, settings.height) == (72, 64))
        #expect(settings.model == "tiny-sd1")
        #expect(settings.version?.hasPrefix("Easel ") == true)
    }

    @Test func aRandomSeedIsPrintedAndMakesThePictureAgain() async throws {
        let first = try await tool.generate("a cat", "-o", "first.png")
        let seed = try #require(first.lines.first?.split(separator: " ").last.map(String.init))
        #expect(UInt64(seed) != nil, "\(first.output)")
        #expect(try await tool.generate("a cat", "--seed", seed, "-o", "second.png").code == 0)
        #expect(try png("first.png") == png("second.png"))
        let other = try await tool.generate("a cat", "-o", "third.png")
        #expect(other.lines.first?.hasSuffix(" \(seed)") == false)
    }

    @Test func quiet() async throws {
        let prompt = Array(repeating: "a", count: 90).joined(separator: " ")
        let result = try await tool.generate(
            prompt, "--prompt-syntax", "plain", "--seed", "1", "-q")
        #expect(result.code == 0)
        #expect(result.errors == "")
        #expect(result.lines == [tool.file("easel-1.png").path])
        let talkative = try await tool.generate(prompt, "--prompt-syntax", "plain", "--seed", "1")
        #expect(talkative.errors.contains("15 tokens were left out"))
    }

    @Test func json() async throws {
        let result = try await tool.generate("a cat", "--seed", "5", "--count", "2", "--json")
        #expect(result.code == 0)
        #expect(result.output.hasSuffix("}\n") && result.lines.count == 1)
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(
            Set(report.keys) == [
                "estimated_memory_bytes", "files", "guidance_scale", "height", "memory", "model",
                "negative_prompt", "peak_memory_bytes", "pictures", "precision", "prompt", "sampler",
                "seed", "steps", "timings", "warnings", "width",
            ])
        #expect(report["seed"] as? Int == 5)
        #expect(report["sampler"] as? String == "pndm")
        #expect(report["precision"] as? String == "f32")
        #expect(report["memory"] as? String == "fast")
        #expect(
            report["files"] as? [String] == [tool.file("easel-5.png").path, tool.file("easel-6.png").path])
        #expect((report["peak_memory_bytes"] as? Int ?? 0) > 10 << 20)
        let timings = try #require(report["timings"] as? [String: Double])
        #expect(
            Set(timings.keys) == [
                "open_model", "load_text_encoder", "encode_prompt", "load_unet", "denoise", "load_decoder",
                "decode",
            ])
        #expect(timings.values.allSatisfy { $0 >= 0 && $0 < 60 })
    }

    @Test func whatCannotBeWrittenIsFoundFirst() async throws {
        try Data("text".utf8).write(to: tool.file("text"))
        try FileManager.default.createDirectory(
            at: tool.file("taken.png"), withIntermediateDirectories: true)
        for path in ["missing/cat.png", "text/cat.png", "/proc/cat.png", "cat.gif", "missing/deeper/"] {
            // No model is opened: that there is none would be said otherwise.
            let result = try await tool.run("a cat", "-m", "/nonexistent", "-o", path)
            #expect(result.code == 74, "\(path): \(result.errors)")
            #expect(result.output == "")
            #expect(result.errors.hasPrefix("easel: ") && result.lines.count <= 1, "\(result.errors)")
        }
        #expect(try tool.files == ["taken.png", "text"])
        // A folder is a folder, whatever its name.
        #expect(try await tool.generate("a cat", "--seed", "3", "-o", "taken.png").code == 0)
        #expect(FileManager.default.fileExists(atPath: tool.file("taken.png/easel-3.png").path))
    }
}
