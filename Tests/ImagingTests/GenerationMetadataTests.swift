import Imaging
import Testing

struct GenerationMetadataTests {
    private func metadata(_ prompt: String, negative: String = "") -> GenerationMetadata {
        var metadata = GenerationMetadata(
            prompt: prompt, negativePrompt: negative, steps: 20, sampler: "PLMS", guidanceScale: 7.5,
            seed: 42,
            width: 512, height: 768, model: "demo", version: "Easel 0.1.0")
        metadata.randomSource = "CPU"
        return metadata
    }

    @Test func isWrittenAsOtherProgramsDo() {
        #expect(
            metadata("a red apple", negative: "blurry").parameters == """
                a red apple
                Negative prompt: blurry
                Steps: 20, Sampler: PLMS, CFG scale: 7.5, Seed: 42, Size: 512x768, Model: demo, RNG: CPU, Version: Easel 0.1.0
                """)
    }

    @Test func settingsStandInTheirOrder() {
        var whole = metadata("p")
        whole.schedule = "Karras"
        whole.modelHash = "0123456789"
        whole.variation = .init(seed: 7, strength: 0.25)
        whole.seedSize = .init(width: 512, height: 640)
        whole.strength = 0.5
        whole.clipSkip = 2
        whole.isTiling = true
        whole.extras = [.init("Hires upscale", "2"), .init("Alone", "Alone"), .init("Odd", "a, b")]
        #expect(
            whole.parameters == """
                p
                Steps: 20, Sampler: PLMS, Schedule type: Karras, CFG scale: 7.5, Seed: 42, Size: 512x768, \
                Model hash: 0123456789, Model: demo, Variation seed: 7, Variation seed strength: 0.25, \
                Seed resize from: 512x640, Denoising strength: 0.5, Clip skip: 2, RNG: CPU, Tiling: True, \
                Hires upscale: 2, Alone, Odd: "a, b", Version: Easel 0.1.0
                """)
        var read = whole
        read.extras.remove(at: 1)
        #expect(GenerationMetadata(parameters: whole.parameters) == read)
    }

    @Test(arguments: [
        "", "a red apple", "a, b: c", "\"quoted\"", "two\nlines\n\nand a gap",
        "Steps: 20, Sampler: Euler, Seed: 1",
        "日本 🙂", "back\\slash", "ends in a newline\n",
        "ends in a carriage return\r", "windows\r\nlines\r\n", "\u{301}begins with a combining mark",
    ])
    func comesBack(prompt: String) {
        for negative in ["", "blurry", "\u{301}", "a\r", "low, quality\nSteps: 3, Seed: 9, Size: 1x1"] {
            let whole = metadata(prompt, negative: negative)
            #expect(GenerationMetadata(parameters: whole.parameters) == whole)
        }
    }

    @Test(arguments: ["a: b, c", "say \"hi\"", "comma, colon: newline\nquote\"", ",\u{301}", "a\r\nb"])
    func valuesThatNeedItAreQuoted(model: String) {
        var whole = metadata("p")
        whole.model = model
        #expect(GenerationMetadata(parameters: whole.parameters) == whole)
    }

    @Test func readsAnotherProgramsText() {
        let read = GenerationMetadata(
            parameters: """
                masterpiece, best quality
                a castle
                Negative prompt: lowres
                Steps: 28, Sampler: Euler a, Schedule type: Karras, CFG scale: 7, Seed: 1234567890, Size: 832x1216, \
                Model hash: 1234567890, Model: "odd, name", Clip skip: 2, Lora hashes: "x: 12ab, y: 34cd", Version: v1.10.1
                """)
        #expect(read?.prompt == "masterpiece, best quality\na castle")
        #expect(read?.negativePrompt == "lowres")
        #expect(read?.steps == 28)
        #expect(read?.sampler == "Euler a")
        #expect(read?.guidanceScale == 7)
        #expect(read?.seed == 1_234_567_890)
        #expect(read?.width == 832)
        #expect(read?.height == 1216)
        #expect(read?.model == "odd, name")
        #expect(read?.version == "v1.10.1")
        #expect(read?.schedule == "Karras")
        #expect(read?.clipSkip == 2)
        #expect(read?.randomSource == nil)
        #expect(read?.extras.contains(.init("Lora hashes", "x: 12ab, y: 34cd")) == true)
    }

    @Test(arguments: [
        "", "just a prompt", "Steps: 20, Seed: 1", "a\nSteps: x, Sampler: y, CFG scale: z, Seed: -1, Size: 1",
        "Steps: \"20", ":::,,,\"\\",
        "Steps: 20, Sampler: a, CFG scale: 1, Seed: 1, Size: 99999999999999999999x1",
    ])
    func otherTextsAreNone(text: String) { #expect(GenerationMetadata(parameters: text) == nil) }
}
