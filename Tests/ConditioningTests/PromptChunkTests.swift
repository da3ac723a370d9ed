import Conditioning
import Foundation
import Testing

/// Where prompts are divided into chunks, as AUTOMATIC1111 does it.
@Suite struct PromptChunkTests {
    private let tokenizer: CLIPTokenizer

    init() throws {
        let golden = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        tokenizer = try CLIPTokenizer(folder: golden.appending(path: "Golden/models/tiny-sd1/tokenizer"))
    }

    private func counts(_ prompt: String, _ tokenizer: CLIPTokenizer) throws -> [Int] {
        let parsed = try ParsedPrompt(
            prompt, syntax: .a1111, steps: 2, tokenizer: tokenizer, length: 77)
        return parsed.subprompts[0].stages[0].passages.map(\.chunk.count)
    }

    /// A phrase that a full chunk ends with goes on in the next one, whether a word of the vocabulary follows or a
    /// learned one.
    @Test func phrasesAreNotDividedBeforeLearnedWords() throws {
        let filler = Array(repeating: "a", count: 70).joined(separator: " ")
        #expect(try counts(filler + ", b c d e f", tokenizer) == [71, 5])
        let first = Int32(tokenizer.tokenCount)
        for count in [1, 2] {
            let learned = tokenizer.learning(
                [LearnedWord("zebra", ids: first..<first + Int32(count))], syntax: .tokens)
            #expect(try counts(filler + ", b c d e zebra", learned) == [71, 4 + count])
            // A chunk with room for a part of the word alone is left as it is.
            #expect(try counts(filler + ", b c d zebra", learned) == (count == 1 ? [75] : [74, 2]))
        }
    }
}
