import Conditioning
import Easel
import Testing

@Suite("Any text is a prompt")
struct PromptTests {
    /// "a" is one token; the text encoder takes 75 beside the start and the end.
    static func tokens(_ count: Int) -> String {
        Array(repeating: "a", count: count).joined(separator: " ")
    }

    @Test(arguments: [0, 1, 75])
    func promptsThatFit(_ count: Int) async throws {
        let events = try await TinyModel.sd1.opened().events(.quick(Self.tokens(count), steps: 1))
        #expect(events.warnings.isEmpty)
        #expect(events.pictures.count == 1)
    }

    @Test(arguments: [76, 77, 78, 10_000])
    func longerPlainPromptsAreCut(_ count: Int) async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick(Self.tokens(count), steps: 1)
        request.promptSyntax = .plain
        let events = try await model.events(request)
        #expect(
            events.warnings == [
                .promptCut(field: "prompt", tokens: count - 75, text: Self.tokens(count - 75))
            ])
        let text = "\(events.warnings[0])"
        #expect(text.contains("\(count - 75) tokens") && text.count < 250)
        let whole = try await model.picture(.quick(Self.tokens(75), steps: 1))
        #expect(events.pictures.map(\.image) == [whole.image])
    }

    @Test func longerPromptsAreReadInChunks() async throws {
        let model = try TinyModel.sd1.opened()
        let fits = try await model.picture(.quick(Self.tokens(75), steps: 1))
        let events = try await model.events(.quick(Self.tokens(76), steps: 1))
        #expect(events.warnings.isEmpty)
        #expect(events.pictures[0].image != fits.image)
        let limit = 75 * ParsedPrompt.chunkLimit
        let most = try await model.events(.quick(Self.tokens(limit + 5), steps: 1))
        #expect(most.warnings == [.promptCut(field: "prompt", tokens: 5, text: Self.tokens(5))])
    }

    @Test func aNegativePromptIsCutToo() async throws {
        var request = Request.quick(steps: 1)
        request.promptSyntax = .plain
        request.negativePrompt = Self.tokens(80)
        let events = try await TinyModel.sd1.opened().events(request)
        #expect(
            events.warnings == [
                .promptCut(field: "negative prompt", tokens: 5, text: Self.tokens(5))
            ])
    }

    @Test(arguments: TinyModel.allCases)
    func charactersOfAllKinds(_ tiny: TinyModel) async throws {
        let model = try tiny.opened()
        for prompt in [
            "🍎 on a 🪑", "a\0b", "\0", "\u{FFFD}", "e\u{301}\u{301}\u{301}", "\u{202E}right to left", "日本",
            "<|endoftext|>", "\n\t ", "👩‍👩‍👧‍👦",
        ] {
            let events = try await model.events(.quick(prompt, steps: 1))
            #expect(events.pictures.count == 1, "\(prompt.debugDescription)")
        }
    }
}
