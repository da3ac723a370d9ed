import Conditioning
import Testing

/// How AUTOMATIC1111 reads the LoRAs of a prompt.
@Suite struct ExtraNetworkTests {
    @Test(
        arguments: [
            ("<lora:ink>", 1, 1, nil), ("<lora:ink:0.5>", 0.5, 0.5, nil),
            ("<lora:ink: 0.5 : 2>", 0.5, 2, nil), ("<lyco:ink:0.5:2>", 0.5, 2, nil),
            ("<lora:ink:0.5:2:8>", 0.5, 2, 8), ("<lora:ink:0.5:dyn=4>", 0.5, 0.5, 4),
            ("<lora:ink:te=0.5:unet=-1:dyn=4>", 0.5, -1, 4), ("<lora:ink:1:1:8:dyn=4>", 1, 1, 4),
            // What is no number of ranks counts for nothing.
            ("<lora:ink:1:1:0>", 1, 1, nil), ("<lora:ink:1:1:-1>", 1, 1, nil),
            ("<lora:ink:1:1:1.5>", 1, 1, nil),
            ("<lora:ink:1:1:x>", 1, 1, nil), ("<lora:ink:1:1:1e30>", 1, 1, nil),
            ("<lora:ink:1:1:nan>", 1, 1, nil),
            ("<lora:ink:1:1:>", 1, 1, nil),
        ] as [(String, Float, Float, Int?)])
    func weightsAndRanks(_ tag: String, _ textEncoder: Float, _ unet: Float, _ ranks: Int?) throws {
        let read = ExtraNetworks("a cat \(tag), soft")
        #expect(read.text == "a cat , soft")
        let lora = try #require(read.loras.first)
        #expect(lora.name == "ink" && lora.textEncoderWeight == textEncoder && lora.weight == unet)
        #expect(lora.rankLimit == ranks)
    }

    @Test(
        arguments: [
            ("<lora:ink:nan>", "nan"), ("<lora:ink:x>", "x"), ("<lora:ink:1e308>", "1e308"),
            ("<lora:ink:0.5:inf>", "inf"), ("<lora:ink:te=y>", "te=y"), ("<lora:ink:1:unet=nan>", "unet=nan"),
        ])
    func weightsAreNumbers(_ tag: String, _ weight: String) {
        let read = ExtraNetworks("a cat \(tag), soft <lora:b:z>")
        #expect(read.fault == .loraWeight(tag: tag, weight: weight))
    }

    /// AUTOMATIC1111 takes comments away before it looks for them; other syntaxes have none.
    @Test func commentsNameNone() {
        let prompt = "a cat <lora:ink>, # <lora:chalk>, wet\n# <lora:oil:x>\nsoft"
        let read = ExtraNetworks(prompt, syntax: .a1111)
        #expect(read.loras.map(\.name) == ["ink"] && read.fault == nil)
        #expect(read.text == "a cat , \nsoft")
        for syntax in [PromptSyntax.comfyui, .stableDiffusionCpp, .compel] {
            let read = ExtraNetworks(prompt, syntax: syntax)
            #expect(read.loras.map(\.name) == ["ink", "chalk", "oil"] && read.fault != nil)
        }
        let plain = ExtraNetworks(prompt, syntax: .plain)
        #expect(plain.text == prompt && plain.loras.isEmpty && plain.fault == nil)
    }

    /// What people write for other programs' sake.
    @Test(arguments: [
        "<lora:ink>", "<lora:ink:>", "<lora:ink: 0.5>", "<lora:ink:-1>", "<lora:ink:.5>",
        "<lora:ink:1:1:lbw=ALL>",
        "<lora:ink:1:OUTALL>", "<lora:ink:1:0,0,1>", "<lora:ink:1:1:x>", "<lora:ink:1:stop=10>",
    ])
    func otherWordsAreLet(_ tag: String) {
        #expect(ExtraNetworks(tag).fault == nil && ExtraNetworks(tag).loras.count == 1)
    }

    @Test(arguments: ["<lora>", "<lora:>", "<ink:1>", "<lora:ink", "a < b > c"]) func othersAreText(
        _ text: String
    ) {
        #expect(ExtraNetworks(text).text == text && ExtraNetworks(text).loras.isEmpty)
    }

    @Test(.timeLimit(.minutes(10))) func manyBracketsTakeLinearTime() {
        let open = String(repeating: "<", count: 500_000)
        let read = ExtraNetworks(open + "lora:ink>" + open)
        #expect(read.text == String(open.dropLast()) + open && read.loras.map(\.name) == ["ink"])
    }
}
