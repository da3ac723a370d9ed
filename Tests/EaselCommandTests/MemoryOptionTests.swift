import Foundation
import Testing

@Suite("Memory's options")
struct MemoryOptionTests {
    @Test func theModeIsInTheReport() async throws {
        let tool = try Tool()
        for mode in ["fast", "balanced", "minimal"] {
            let result = try await tool.generate("a cat", "-W", "64", "-H", "64", "--memory", mode, "--json")
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.contains("\"memory\":\"\(mode)\""))
        }
        let result = try await tool.generate("a cat", "-W", "64", "-H", "64", "--json")
        #expect(result.output.contains("\"memory\":\"fast\""))
    }

    @Test func aLimitThatIsTooSmallIsRefusedWithFigures() async throws {
        let tool = try Tool()
        let result = try await tool.generate("a cat", "-W", "512", "-H", "512", "--memory-limit", "100MB")
        #expect(result.code == 64)
        #expect(result.errors.contains("512×512 pixels"))
        #expect(result.errors.contains("the limit of 0.1 GB"))
        #expect(try tool.files.isEmpty)
    }

    @Test func compressedWeightsAreOfEightBitsOrFour() async throws {
        let tool = try Tool()
        var pictures: [Data] = []
        for words in [
            ["--no-compress-weights"], ["--compress-weights"], ["--compressed-weight-bits", "8"],
            ["--compress-weights", "--compressed-weight-bits", "4"],
        ] {
            let result = try await tool.run(
                words + [
                    "a cat", "-m", Tool.model("tiny-sd1").path, "-W", "64", "-H", "64", "--steps", "2", "-s",
                    "1",
                    "--precision", "f32", "-o", "\(pictures.count).png",
                ])
            #expect(result.code == 0, "\(result.errors)")
            pictures.append(try Data(contentsOf: tool.file("\(pictures.count).png")))
        }
        #expect(pictures[1] == pictures[2])
        #expect(Set(pictures).count == 3)
    }

    @Test(arguments: [
        ["--memory", "tiny"], ["--memory-limit", "lots"], ["--memory-limit", "-2GB"],
        ["--memory-limit", "0"], ["--keep-networks", "some"], ["--attention-slice", "0"],
        ["--vae-tile-size", "63"], ["--vae-tile-size", "100000"], ["--vae-tile-overlap", "8"],
        ["--vae-tile-size", "64", "--vae-tile-overlap", "40"],
        ["--compressed-weight-bits", "5"], ["--compressed-weight-bits", "0"],
        ["--compressed-weight-bits", "few"], ["--compress-weights", "--no-compress-weights"],
        ["--no-compress-weights", "--compressed-weight-bits", "4"],
    ])
    func wrongWordsAreRefused(_ words: [String]) async throws {
        let tool = try Tool()
        let result = try await tool.run(
            ["-m", Tool.model("tiny-sd1").path, "a cat", "--steps", "1"] + words)
        #expect(result.code == 64)
        #expect(result.errors.contains(words[words.count - 2]))
        #expect(try tool.files.isEmpty)
    }
}
