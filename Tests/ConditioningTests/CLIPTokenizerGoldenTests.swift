import Checkpoints
import Conditioning
import Foundation
import Testing

private let golden = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../Golden/tokens").standardized

/// The ids of transformers' `CLIPTokenizer` (Tests/Golden/tokens.py).
@Suite struct CLIPTokenizerGoldenTests {
    private struct Case {
        let text: String
        let ids: [Int32]
        let decoded: String
        let padded: [Int32]?
        let cut: String?
    }

    private static func cases(_ name: String) throws -> [Case] {
        let url = golden.appending(path: name).appending(path: "expected.json")
        let elements = try #require(try JSONValue(contentsOf: url).arrayValue)
        return try elements.map { element in
            let object = try #require(element.objectValue)
            func ids(_ key: String) -> [Int32]? {
                object[key]?.arrayValue?.compactMap { $0.numberValue?.integer.map(Int32.init) }
            }
            return Case(
                text: try #require(object["text"]?.stringValue), ids: try #require(ids("ids")),
                decoded: try #require(object["decoded"]?.stringValue), padded: ids("padded"),
                cut: object["cut"]?.stringValue)
        }
    }

    @Test(arguments: ["stable-diffusion-1", "stable-diffusion-2"], ["", "-json"])
    func idsAreTheReferences(name: String, form: String) throws {
        let tokenizer = try CLIPTokenizer(folder: golden.appending(path: name + form))
        let cases = try Self.cases(name)
        #expect(cases.count > 15)
        #expect(cases.contains { $0.padded != nil && $0.cut?.isEmpty == false })
        for item in cases {
            #expect(tokenizer.encode(item.text) == item.ids, "\(item.text.debugDescription)")
            #expect(Array(tokenizer.decode(item.ids).utf8) == Array(item.decoded.utf8))
            guard let padded = item.padded, let cut = item.cut else { continue }
            let tokens = tokenizer.tokenize(item.text)
            #expect(tokens.ids == padded)
            #expect(Array(tokens.cutText.utf8) == Array(cut.utf8))
            #expect(tokens.promptCount + tokens.cutIDs.count == item.ids.count)
        }
    }

    @Test func paddingIsTheModels() throws {
        let first = try CLIPTokenizer(folder: golden.appending(path: "stable-diffusion-1"))
        #expect(first.paddingToken == first.endToken)
        let second = try CLIPTokenizer(folder: golden.appending(path: "stable-diffusion-2"))
        #expect(second.paddingToken == 0)
        #expect(
            second.tokenize("").ids == [second.startToken, second.endToken] + [Int32](repeating: 0, count: 75)
        )
    }

    // In quadratic time each of these would take minutes.
    @Test(.timeLimit(.minutes(10))) func longPromptsTakeLinearTime() throws {
        let tokenizer = try CLIPTokenizer(folder: golden.appending(path: "stable-diffusion-1"))
        let word = String(repeating: "qwertyuiop", count: 10_000)
        let marks = "a" + String(repeating: "\u{301}\u{323}", count: 30_000)
        #expect(tokenizer.decode(tokenizer.encode(word)) == word)
        #expect(tokenizer.encode(marks).count > 10_000)
        #expect(tokenizer.tokenize(String(repeating: "a ", count: 100_000)).cutIDs.count == 99_925)
    }
}
