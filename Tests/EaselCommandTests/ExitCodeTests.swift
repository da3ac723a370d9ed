import Foundation
import Testing

@Suite("The exit code says what went wrong")
struct ExitCodeTests {
    let tool: Tool

    init() throws { tool = try Tool() }

    @Test(arguments: [
        ["--no-such-option", "a cat"], ["a cat", "--prompt", "a dog"], ["a cat", "a dog"], [],
        ["a cat", "--seed", "-1"], ["a cat", "--seed", "18446744073709551616"], ["a cat", "--seed", "1.5"],
        ["a cat", "--seed", "one"], ["a cat", "--seed"], ["a cat", "--steps", "many"],
        ["a cat", "--guidance-scale", "strong"], ["a cat", "--precision", "f8"], ["a cat", "--threads", "0"],
        ["a cat", "--steps", "0"], ["a cat", "--steps", "-1"], ["a cat", "--steps", "1000000000"],
        ["a cat", "--guidance-scale", "nan"], ["a cat", "--guidance-scale", "inf"],
        ["a cat", "--guidance-scale", "1e38"], ["a cat", "-W", "100"], ["a cat", "-H", "0"],
        ["a cat", "-W", "-8"], ["a cat", "-H", "4096"], ["a cat", "--count", "0"],
        ["a cat", "--batch-size", "0"], ["a cat", "--sampler", "dpm-of-old"],
        ["serve", "--port", "99999"],
    ])
    func wrongUsage(_ arguments: [String]) async throws {
        let result = try await tool.run(["-m", Tool.model("tiny-sd1").path] + arguments)
        #expect(result.code == 64, "\(arguments): \(result.code) \(result.errors)")
        #expect(result.output == "")
        #expect(!result.errors.isEmpty)
        #expect(try tool.files == [])
    }

    /// What would change nothing is not passed over.
    @Test(arguments: [
        ["--strength", "0.5"], ["--resize", "crop"], ["--padding", "16"], ["--no-composite"],
        ["--styles", "styles.csv"], ["--preview-protocol", "kitty"], ["--variations", "2", "--count", "3"],
    ])
    func optionsThatDoNothing(_ words: [String]) async throws {
        let result = try await tool.run(["a cat", "-m", Tool.model("tiny-sd1").path, "--steps", "1"] + words)
        #expect(
            result.code == 64 && result.errors.contains(words[0]), "\(words): \(result.code) \(result.errors)"
        )
        #expect(try tool.files == [])
    }

    #if os(Linux)
        /// Libraries are not taken down by an error: networks may still be compiled in the background. The loader tells.
        @Test func anErrorEndsTheToolWhereItIs() async throws {
            let loading = tool.file("loader")
            let result = try await tool.generate(
                "a cat", "--sampler", "dpm-of-old",
                environment: ["LD_DEBUG": "files", "LD_DEBUG_OUTPUT": loading.path])
            #expect(result.code == 64 && result.errors.contains("dpm-of-old"))
            let told = try #require(tool.files.first { $0.hasPrefix("loader.") })
            let text = try String(contentsOf: tool.file(told), encoding: .utf8)
            #expect(text.contains("calling init: ") && !text.contains("calling fini: "))
        }
    #endif

    @Test func messagesHelp() async throws {
        let size = try await tool.generate("a cat", "-W", "100")
        #expect(size.errors.contains("width 100") && size.errors.contains("96 or 104"))
        let sampler = try await tool.generate("a cat", "--sampler", "dpm-of-old")
        for name in ["dpm-of-old", "pndm", "ddim", "euler"] { #expect(sampler.errors.contains(name)) }
        let none = try await tool.run("-m", Tool.model("tiny-sd1").path)
        #expect(none.errors.contains("prompt is missing"))
    }

    @Test func namesOfModels() async throws {
        for source in ["a/b/c", "ftp://a/b", "a--b/c", "a/..", "a..b/c"] {
            let result = try await tool.run("pull", source)
            #expect(result.code == 64, "\(source)")
            #expect(
                result.errors
                    == "easel: \(source) is neither a repository, as owner/name or owner/name@revision, "
                    + "nor the address of a file\n")
        }
        let nowhere = try await tool.run("models", "--models-dir", "nowhere")
        #expect(nowhere.code == 64 && nowhere.errors.contains("--models-dir \"nowhere\""))
        for arguments in [["models"], ["rm", "none"], ["inspect", "none"], ["convert", "none", "new"]] {
            let result = try await tool.run(
                arguments, environment: ["EASEL_MODELS_DIR": "\(tool.folder.path):nowhere"])
            #expect(result.code == 64, "\(arguments): \(result.code) \(result.errors)")
            #expect(result.errors.contains("EASEL_MODELS_DIR names \"nowhere\""), "\(result.errors)")
        }
        let pickle = try await tool.run("convert", Tool.model("tiny-sd1").path, "new.ckpt")
        #expect(pickle.code == 64 && pickle.errors.contains("new.ckpt: pickles are not written"))
        #expect(try tool.files == [])
        let unknown = try await tool.run("a cat", "-m", "someone/else", "--steps", "1")
        for command in ["inspect", "graph", "tokens"] {
            let arguments = command == "inspect" ? ["no-file"] : ["unet", "-m", "no-model"]
            #expect(try await tool.run([command] + arguments).code == 65, "\(command)")
        }
        #expect(unknown.code == 65 && unknown.errors.contains("easel pull someone/else"))
    }

    @Test func badInputFiles() async throws {
        let missing = try await tool.run("a cat", "-m", "missing")
        #expect(missing.code == 65)
        #expect(missing.errors.contains("there is no model missing: neither a file"))

        let model = tool.file("model")
        try FileManager.default.copyItem(at: Tool.model("tiny-sd1"), to: model)
        let weights = model.appending(path: "unet/diffusion_pytorch_model.safetensors")
        let whole = try Data(contentsOf: weights)
        try whole.prefix(whole.count / 2).write(to: weights)
        let truncated = try await tool.run("a cat", "-m", "model", "--steps", "1")
        #expect(truncated.code == 65, "\(truncated.errors)")
        #expect(truncated.errors.contains("unet/diffusion_pytorch_model.safetensors"))

        // A pipe that nobody writes to must not be waited for.
        try FileManager.default.removeItem(at: weights)
        #expect(mkfifo(weights.path, 0o600) == 0)
        let pipe = try await tool.run("a cat", "-m", "model", "--steps", "1")
        #expect(pipe.code == 65, "\(pipe.errors)")
        #expect(pipe.errors.contains("named pipe"))
        #expect(try tool.files == ["model"])
    }

    @Test func missingEngine() async throws {
        let result = try await tool.generate(
            "a cat", environment: ["EASEL_OPENVINO_LIBRARY": "/nonexistent.so"])
        #expect(result.code == 69, "\(result.code) \(result.errors)")
        #expect(result.errors.contains("openvino") && result.errors.contains("/nonexistent.so"))
        #expect(result.errors.localizedCaseInsensitiveContains("install"), "\(result.errors)")
        #expect(try tool.files == [])
    }

    @Test func weightsThatAreNotNumbers() async throws {
        let model = tool.file("model")
        try FileManager.default.copyItem(at: Tool.model("tiny-sd1"), to: model)
        let weights = model.appending(path: "vae/diffusion_pytorch_model.safetensors")
        var data = try Data(contentsOf: weights)
        // Every value of the last tensor's end is not a number.
        data.replaceSubrange(data.count - 4096..<data.count, with: Data(repeating: 0xFF, count: 4096))
        try data.write(to: weights)
        let result = try await tool.run("a cat", "-m", "model", "--steps", "1", "--precision", "f32")
        #expect(result.code == 65, "\(result.code) \(result.errors)")
        #expect(result.errors.contains("not finite numbers"), "\(result.errors)")
        #expect(try tool.files == ["model"])
    }

    @Test func textThatIsNotUTF8() async throws {
        let result = try await tool.run(
            ["-c", "exec \"$0\" \"$(printf 'a \\377\\376 cat')\" -m \"$1\" --steps 1 --seed 1"]
                + [Tool.executable.path, Tool.model("tiny-sd1").path],
            program: URL(filePath: "/bin/sh"))
        #expect(result.code == 0, "\(result.code) \(result.errors)")
        #expect(try tool.files == ["easel-1.png"])
    }

    @Test func helpAndVersion() async throws {
        let help = try await tool.run("--help")
        #expect(help.code == 0)
        for word in ["generate", "graph", "USAGE"] { #expect(help.output.contains(word)) }
        let generate = try await tool.run("help", "generate")
        for word in ["--seed", "--negative-prompt", "--json", "130 interrupted"] {
            #expect(generate.output.contains(word), "no \(word)")
        }
        let version = try await tool.run("--version")
        #expect(version.code == 0)
        #expect(version.output.wholeMatch(of: /easel \d+\.\d+\.\d+\n/) != nil)
    }
}
