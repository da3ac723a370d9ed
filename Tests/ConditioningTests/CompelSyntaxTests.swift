import Foundation
import Testing

@testable import Conditioning

@Suite("Compel's syntax")
struct CompelSyntaxTests {
    private struct Golden: Decodable {
        struct Fragment: Decodable {
            let text: String
            let weight: Double
        }
        struct Term: Decodable {
            let share: Double
            let fragments: [Fragment]
        }
        struct Part: Decodable {
            let weight: Double
            let terms: [Term]
        }
        struct Read: Decodable {
            let prompt: String
            let parts: [Part]
        }
        let read: [Read]
    }

    /// A reading as text, its weights rounded.
    private func shown(_ parts: [(weight: Double, terms: [(share: Double, fragments: [(String, Double)])])])
        -> String
    {
        func number(_ value: Double) -> String { String(format: "%.6g", value) }
        return parts.map { part in
            let terms = part.terms.map { term in
                number(term.share)
                    + term.fragments.map {
                        // Compel keeps the backslash of signs other than brackets and quotation marks.
                        "[\($0.0.replacing("\\", with: ""))]×\(number($0.1))"
                    }.joined()
            }
            return number(part.weight) + "(" + terms.joined(separator: " ") + ")"
        }.joined(separator: " ")
    }

    @Test func promptsReadAsInCompel() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Golden/prompts/compel.json")
        let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
        #expect(golden.read.count == 32)
        for read in golden.read {
            let expected = shown(
                read.parts.map { part in
                    (
                        part.weight,
                        part.terms.map { ($0.share, $0.fragments.map { ($0.text, $0.weight) }) }
                    )
                })
            let made = shown(
                try CompelSyntax.parse(read.prompt).parts.map { part in
                    (
                        part.weight,
                        part.terms.map { ($0.share, $0.fragments.map { ($0.text, $0.weight) }) }
                    )
                })
            #expect(made == expected, "\(read.prompt)")
        }
    }

    @Test func whatCannotBeIsRefused() {
        #expect(throws: PromptError.weightCount(operation: "blend", prompts: 2, weights: 1)) {
            try CompelSyntax.parse("(a, b).blend(1)")
        }
        #expect(throws: PromptError.weightCount(operation: "and", prompts: 2, weights: 3)) {
            try CompelSyntax.parse("(a, b).and(1, 2, 3)")
        }
        #expect(throws: PromptError.weightSum(weights: [1, -1])) {
            try CompelSyntax.parse("(a, b).blend(1, -1)")
        }
        #expect(throws: PromptError.unsupported(operation: "swap")) {
            try CompelSyntax.parse("a cat.swap(dog)")
        }
    }

    @Test func deepBracketsAreReadInTime() throws {
        let deep = String(repeating: "(", count: 2000) + "a" + String(repeating: ")+", count: 2000)
        _ = try CompelSyntax.parse(deep)
        _ = try CompelSyntax.parse(deep + String(repeating: "(a = ", count: 500))
        let quoted = String(repeating: "(\"", count: 300) + "=" + String(repeating: "\")", count: 300)
        _ = try CompelSyntax.parse(quoted)
    }
}
