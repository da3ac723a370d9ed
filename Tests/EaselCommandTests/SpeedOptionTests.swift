import Foundation
import Imaging
import Testing

@Suite("Options for fewer operations")
struct SpeedOptionTests {
    private func bytes(_ tool: Tool, _ name: String) throws -> Data { try Data(contentsOf: tool.file(name)) }

    @Test func fastSetsWhatNoOptionSays() async throws {
        let tool = try Tool()
        let model = ["-m", Tool.model("tiny-sd1").path, "--precision", "f32", "a cat", "-s", "1", "--json"]
        let fast = try await tool.run(model + ["--fast", "-o", "fast.png"])
        #expect(fast.code == 0, "\(fast.errors)")
        for part in ["\"cache\":\"deep:3\"", "\"steps\":12", "\"sampler\":\"dpmpp-2m\""] {
            #expect(fast.output.contains(part), "\(fast.output)")
        }
        let named = try await tool.run(
            model + ["--steps", "12", "--sampler", "dpmpp-2m", "--cache", "deep", "-o", "named.png"])
        #expect(named.code == 0, "\(named.errors)")
        #expect(try bytes(tool, "fast.png") == bytes(tool, "named.png"))

        let own = try await tool.run(
            model + [
                "--fast", "--steps", "3", "--cache", "none", "--sampler", "euler", "--token-merging", "0.5",
                "-o",
                "own.png",
            ])
        #expect(own.code == 0, "\(own.errors)")
        for part in ["\"steps\":3", "\"sampler\":\"euler\"", "\"token_merging\":0.5"] {
            #expect(own.output.contains(part), "\(own.output)")
        }
        #expect(!own.output.contains("\"cache\""))
    }

    @Test func theyAreInThePicturesSettings() async throws {
        let tool = try Tool()
        let first = try await tool.generate(
            "a cat", "-s", "7", "--steps", "5", "--cache", "deep:2", "--token-merging", "0.25",
            "--guidance-interval", "0.2,0.9", "-o", "one.png")
        #expect(first.code == 0, "\(first.errors)")
        let shown = try await tool.run("inspect", "one.png")
        #expect(shown.output.contains("Token merging ratio: 0.25"), "\(shown.output)")
        #expect(shown.output.contains("Deep cache interval: 2"), "\(shown.output)")
        let again = try await tool.run(
            "--from", "one.png", "-m", Tool.model("tiny-sd1").path, "--precision", "f32", "-o", "two.png")
        #expect(again.code == 0, "\(again.errors)")
        #expect(try bytes(tool, "one.png") == bytes(tool, "two.png"))
        let without = try await tool.run(
            "--from", "one.png", "-m", Tool.model("tiny-sd1").path, "--precision", "f32", "--cache", "none",
            "-o",
            "three.png")
        #expect(without.code == 0, "\(without.errors)")
        #expect(try bytes(tool, "one.png") != bytes(tool, "three.png"))
    }

    @Test(arguments: [
        ["--cache", "deep:0"], ["--cache", "deep:1001"], ["--cache", "deep:x"], ["--cache", "shallow"],
        ["--token-merging", "1.5"], ["--token-merging", "nan"], ["--token-merging", "much"],
    ])
    func wrongWordsAreRefused(_ words: [String]) async throws {
        let tool = try Tool()
        let result = try await tool.run(
            ["-m", Tool.model("tiny-sd1").path, "a cat", "--steps", "1"] + words)
        #expect(result.code == 64)
        #expect(result.errors.contains(words[0]), "\(result.errors)")
        #expect(try tool.files.isEmpty)
    }
}
