import Foundation
import Imaging
import Testing

@Suite("A picture's settings make it again")
struct FromPictureTests {
    private func bytes(_ tool: Tool, _ name: String) throws -> Data { try Data(contentsOf: tool.file(name)) }

    @Test func theSamePictureToTheByte() async throws {
        let tool = try Tool()
        let first = try await tool.generate(
            "a (red:1.2) [cat:dog:1]", "-n", "bad", "--steps", "3", "-s", "77", "--sampler", "dpmpp-2m-sde",
            "--schedule", "karras", "--cfg-scale", "6.25", "--guidance-rescale", "0.3", "--clip-skip", "2",
            "--rng", "torch-cuda", "--subseed", "5", "--subseed-strength", "0.1", "-W", "72", "--emphasis",
            "no-norm", "--pag-scale", "2", "--freeu", "v1:1.2,1.3,0.9,0.8", "--tiling", "x", "--rho", "5",
            "--step-noise", "brownian-tree", "-o", "one.png")
        #expect(first.code == 0, "\(first.errors)")
        let again = try await tool.run(
            "--from", "one.png", "-m", Tool.model("tiny-sd1").path, "--precision", "f32", "-o", "two.png")
        #expect(again.code == 0, "\(again.errors)")
        #expect(try bytes(tool, "one.png") == bytes(tool, "two.png"))

        let shown = try await tool.run("inspect", "one.png")
        #expect(shown.output.contains("72×64 pixels") && shown.output.contains("Steps: 3"), "\(shown.output)")
        let record = try await tool.run("inspect", "one.png", "--json")
        #expect(record.output.contains("\"subseed_strength\":0.1"), "\(record.output)")

        let other = try await tool.run(
            "--from", "one.png", "-m", Tool.model("tiny-sd1").path, "--precision", "f32", "-s", "78", "-o",
            "three.png")
        #expect(other.code == 0, "\(other.errors)")
        let read = try PNG(reading: bytes(tool, "three.png"), named: "three.png")
        #expect(read.image != (try PNG(reading: bytes(tool, "one.png"), named: "one.png").image))
        let parameters = try #require(read.texts.first { $0.keyword == "parameters" }?.text)
        #expect(parameters.contains("Seed: 78") && parameters.contains("Sampler: DPM++ 2M SDE"))
    }

    @Test func aPictureOfAPictureNeedsIt() async throws {
        let tool = try Tool()
        _ = try await tool.generate("a cat", "-s", "1", "-o", "base.png")
        let first = try await tool.generate(
            "a dog", "-i", "base.png", "--strength", "1", "--mask", "base.png", "-s", "2", "-o", "one.png")
        #expect(first.code == 0, "\(first.errors)")
        let arguments = [
            "--from", "one.png", "-m", Tool.model("tiny-sd1").path, "--precision", "f32", "-o", "two.png",
        ]
        let without = try await tool.run(arguments)
        #expect(without.code == 64 && without.errors.contains("--init-image"), "\(without.errors)")
        let halfway = try await tool.run(arguments + ["-i", "base.png"])
        #expect(halfway.code == 64 && halfway.errors.contains("--mask"), "\(halfway.errors)")
        let whole = try await tool.run(arguments + ["-i", "base.png", "--mask", "base.png"])
        #expect(whole.code == 0, "\(whole.errors)")
        #expect(try bytes(tool, "one.png") == bytes(tool, "two.png"))
    }

    @Test(arguments: ["jpg", "webp"]) func otherFormatsCarryThemToo(_ ending: String) async throws {
        let tool = try Tool()
        let first = try await tool.generate(
            "a cat", "-s", "5", "--quality", "90", "--eta", "0.5", "--sampler", "ddim", "-o", "one.\(ending)")
        #expect(first.code == 0, "\(first.errors)")
        let again = try await tool.run(
            "--from", "one.\(ending)", "-m", Tool.model("tiny-sd1").path, "--precision", "f32", "--quality",
            "90",
            "-o", "two.\(ending)")
        #expect(again.code == 0, "\(again.errors)")
        #expect(try bytes(tool, "one.\(ending)") == bytes(tool, "two.\(ending)"))
        let shown = try await tool.run("inspect", "one.\(ending)")
        #expect(shown.output.contains("Sampler: DDIM"), "\(shown.output)")
        let wrong = try await tool.generate("a cat", "-o", "one.gif")
        #expect(wrong.code == 74 && wrong.errors.contains(".webp"), "\(wrong.errors)")
    }

    @Test func anotherProgramsSettingsAreTaken() async throws {
        let tool = try Tool()
        let image = Image(width: 8, height: 8, pixels: Array(repeating: 9, count: 192))
        let text = """
            a red apple
            Negative prompt: blurry
            Steps: 2, Sampler: Euler a, Schedule type: Karras, CFG scale: 5, Seed: 12, Size: 72x64, Model: other
            """
        try PNG(image, texts: [.init(keyword: "parameters", text: text)]).encoded().write(
            to: tool.file("other.png"))
        let made = try await tool.run(
            "--from", "other.png", "-m", Tool.model("tiny-sd1").path, "--json", "-o", "one.png")
        #expect(made.code == 0, "\(made.errors)")
        // Its words are shown, and are no record.
        let shown = try await tool.run("inspect", "other.png")
        #expect(shown.code == 0 && shown.output.contains("Schedule type: Karras"), "\(shown.output)")
        let record = try await tool.run("inspect", "--json", "other.png")
        #expect(record.code == 65 && record.output == "", "\(record.output)")
        #expect(
            record.errors.contains("no record") && record.errors.contains("without --json"),
            "\(record.errors)")
        for part in [
            "\"seed\":12", "\"sampler\":\"euler-ancestral\"", "\"width\":72", "\"guidance_scale\":5",
        ] {
            #expect(made.output.contains(part), "\(made.output)")
        }
        let read = try PNG(reading: bytes(tool, "one.png"), named: "one.png")
        let parameters = try #require(read.texts.first { $0.keyword == "parameters" }?.text)
        #expect(!parameters.contains("RNG"), "AUTOMATIC1111's noise is a graphics processor's: \(parameters)")
        #expect(parameters.contains("Schedule type: Karras"))
    }

    @Test func itsOwnModelIsTaken() async throws {
        let tool = try Tool()
        let models = tool.file("models")
        try FileManager.default.createDirectory(at: models, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: Tool.model("tiny-sd1"), to: models.appending(path: "small-town"))
        let first = try await tool.run(
            "a cat", "-m", "small-town", "--models-dir", "models", "--steps", "1", "-s", "3", "-o", "one.png")
        #expect(first.code == 0, "\(first.errors)")
        let again = try await tool.run("--from", "one.png", "--models-dir", "models", "-o", "two.png")
        #expect(again.code == 0, "\(again.errors)")
        #expect(try bytes(tool, "one.png") == bytes(tool, "two.png"))
        let missing = try await tool.run("--from", "one.png", "-o", "three.png")
        #expect(missing.code == 65, "\(missing.errors)")
        #expect(
            missing.errors.contains("small-town") && missing.errors.contains("--model"), "\(missing.errors)")
    }

    @Test func aMaskBesideAnExtensionIsNeededToo() async throws {
        let tool = try Tool()
        _ = try await tool.generate("a cat", "-s", "1", "-o", "base.png")
        let options = ["-i", "base.png", "--strength", "1", "--extend", "left=32,right=32"]
        for (name, mask) in [("masked", ["--mask", "base.png"]), ("plain", [])] {
            let made = try await tool.run(
                ["a dog", "-m", Tool.model("tiny-sd1").path, "--steps", "1", "-o", "\(name).png"] + options
                    + mask)
            #expect(made.code == 0, "\(made.errors)")
            let again = try await tool.run(
                "--from", "\(name).png", "-m", Tool.model("tiny-sd1").path, "-i", "base.png", "-o",
                "again.png")
            #expect(again.code == (name == "masked" ? 64 : 0), "\(again.errors)")
        }
        let bare = try await tool.run(
            "--from", "base.png", "-m", Tool.model("tiny-sd1").path, "--mask", "base.png", "-o", "x.png")
        #expect(bare.code == 64 && bare.errors.contains("--init-image"), "\(bare.errors)")
        let wide = try await tool.generate(
            "a dog", "-i", "base.png", "--extend", "left=9223372036854775807,right=1", "-o", "x.png")
        #expect(wide.code == 64, "\(wide.errors)")
    }

    @Test func samplersNamedWithTheirSchedulesAreKnown() async throws {
        let tool = try Tool()
        let image = Image(width: 8, height: 8, pixels: Array(repeating: 9, count: 192))
        let text = """
            a red apple
            Steps: 2, Sampler: DPM++ 2M Karras, CFG scale: 5, Seed: 12, Size: 64x64, Denoising strength: 0.5, \
            Hires upscale: 1.5, Hires steps: 2, Hires upscaler: Latent
            """
        try PNG(image, texts: [.init(keyword: "parameters", text: text)]).encoded().write(
            to: tool.file("old.png"))
        let made = try await tool.run(
            "--from", "old.png", "-m", Tool.model("tiny-sd1").path, "-o", "one.png")
        #expect(made.code == 0, "\(made.errors)")
        let read = try PictureFile(contentsOf: tool.file("one.png"))
        #expect(read.image.width == 96)
        let parameters = try #require(read.notes.parameters)
        for part in [
            "Sampler: DPM++ 2M, Schedule type: Karras", "Size: 64x64", "Hires upscale: 1.5, Hires steps: 2",
        ] { #expect(parameters.contains(part), "\(parameters)") }
    }

    @Test func picturesWithoutSettingsAreRefused() async throws {
        let tool = try Tool()
        let image = Image(width: 8, height: 8, pixels: Array(repeating: 9, count: 192))
        try PictureFile(image).write(to: tool.file("bare.png"))
        try Data("{}".utf8).write(to: tool.file("text.png"))
        for (name, what) in [
            ("bare.png", "no settings"), ("text.png", "not a picture"), ("none.png", "no such file"),
        ] {
            let result = try await tool.run(
                "--from", name, "-m", Tool.model("tiny-sd1").path, "-o", "out.png")
            #expect(result.code == 65 && result.errors.contains(what), "\(result.errors)")
        }
        #expect(try !tool.files.contains("out.png"))
    }

    @Test func promptsCanBeLookedAt() async throws {
        let tool = try Tool()
        let result = try await tool.run(
            "tokens", "a (red:1.5) hat BREAK b AND c :0.5", "-m", Tool.model("tiny-sd1").path)
        #expect(result.code == 0, "\(result.errors)")
        for part in ["Part 1, weight 1.0", "× 1.5", "Chunk 2: 1 of 75 tokens", "Part 2, weight 0.5"] {
            #expect(result.output.contains(part), "\(result.output)")
        }
        let list = try await tool.run("samplers")
        #expect(list.output.contains("dpmpp-2m") && list.output.contains("karras"))
        let unknown = try await tool.generate("x", "--sampler", "dpmp-2m", "-o", "x.png")
        #expect(unknown.code == 64 && unknown.errors.contains("did you mean dpmpp-2m"), "\(unknown.errors)")
    }
}
