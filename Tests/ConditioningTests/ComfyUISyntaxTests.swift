import Foundation
import Testing

@testable import Conditioning

@Suite("ComfyUI's and stable-diffusion.cpp's prompts")
struct ComfyUISyntaxTests {
    /// From the published parser's rules: brackets of the outermost level, the last colon, a weight that stands alone.
    private static let cases: [(prompt: String, pieces: String)] = [
        ("a red apple", "a red apple×1"),
        ("a (red) apple", "a ×1|red×1.1| apple×1"),
        ("((red))", "red×1.21"),
        ("((red:1.5))", "red×1.5"),
        ("((red:1.5) apple)", "red×1.5| apple×1.1"),
        ("((red) apple:2)", "red×2.2| apple×2"),
        ("(a:b:0.5)", "a:b×0.5"),
        ("(a:b)", "a:b×1.1"),
        ("(:2)", ":2×1.1"),
        ("(a: 1.5 )", "a×1.5"),
        ("(a:nan)", "a:nan×1.1"),
        ("[a] \\(b\\) (c\\))", "[a] (b) ×1|c)×1.1"),
        ("(open", "(open×1"),
        ("shut) (a)", "shut) (a)×1"),
        ("()", ""),
        ("\\\\( \\a \\", "\\( \\a \\×1"),
        ("", ""),
    ]

    @Test(arguments: cases)
    func weightsAreReadAsInComfyUI(prompt: String, pieces: String) {
        let read = ComfyUISyntax.parse(prompt).map { "\($0.text)×\(String(format: "%g", $0.weight))" }
        #expect(read.joined(separator: "|") == pieces)
    }

    @Test func deepBracketsAreText() {
        let deep = String(repeating: "(", count: 5000) + "a" + String(repeating: ")", count: 5000)
        #expect(ComfyUISyntax.parse(deep).count == 1)
    }

    @Test func shortTextsAreNotDivided() throws {
        let golden = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let tokenizer = try CLIPTokenizer(folder: golden.appending(path: "Golden/models/tiny-sd1/tokenizer"))
        let filler = Array(repeating: "a", count: 73).joined(separator: " ")
        func counts(_ prompt: String, _ syntax: PromptSyntax) throws -> [Int] {
            let parsed = try ParsedPrompt(
                prompt, syntax: syntax, steps: 2, tokenizer: tokenizer, length: 77)
            return parsed.subprompts[0].stages[0].passages.map(\.chunk.count)
        }
        #expect(try counts(filler + " (b c d:1.2)", .comfyui) == [73, 3])
        #expect(try counts(filler + " (b c d:1.2)", .stableDiffusionCpp) == [75, 1])
        #expect(try counts("a, " + filler + " b c", .stableDiffusionCpp) == [75, 2])
        #expect(try counts("a BREAK b", .stableDiffusionCpp) == [1, 1])
        #expect(try counts("a BREAK b", .comfyui).count == 1)
        #expect(try counts("[a:b:0.5] AND c", .stableDiffusionCpp).count == 1)
    }
}
