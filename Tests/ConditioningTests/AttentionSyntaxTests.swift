import Conditioning
import Testing

private func pieces(_ prompt: String) -> [String] {
    AttentionSyntax.parse(prompt).map { piece in
        piece.isBreak ? "BREAK" : "\(piece.text)×\((piece.weight * 1000).rounded() / 1000)"
    }
}

/// AUTOMATIC1111's reading of weights: its own examples, and what they leave open.
@Suite struct AttentionSyntaxTests {
    @Test(arguments: [
        ("normal text", ["normal text×1.0"]),
        ("an (important) word", ["an ×1.0", "important×1.1", " word×1.0"]),
        ("(unbalanced", ["unbalanced×1.1"]),
        ("\\(literal\\]", ["(literal]×1.0"]),
        ("(unnecessary)(parens)", ["unnecessaryparens×1.1"]),
        (
            "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
            [
                "a ×1.0", "house×1.573", " ×1.1", "on×1.0", " a ×1.1", "hill×0.55", ", sun, ×1.1",
                "sky×1.464",
                ".×1.1",
            ]
        ),
        ("", ["×1.0"]), ("()", ["×1.0"]), ("closed)", ["closed)×1.0"]), ("a ] b", ["a ] b×1.0"]),
        ("[weak:1.3]", ["weak:1.3×0.909"]), ("time 12:30) x", ["time 12:30) x×1.0"]),
        ("(x:nan)", ["x:nan×1.1"]), ("(x:1e9)", ["x:1e9×1.1"]), ("(x: 1.5 )", ["x×1.5"]),
        ("(x:-.5)", ["x×-0.5"]),
        ("(x:1.2.3)", ["x:1.2.3×1.1"]), ("a\\b", ["ab×1.0"]), ("a \\\\ b", ["a \\ b×1.0"]),
        ("one BREAK two", ["one×1.0", "BREAK", "two×1.0"]), ("BREAKING", ["BREAKING×1.0"]),
        ("a\nBREAK\nb", ["a×1.0", "BREAK", "b×1.0"]), ("(a BREAK b)", ["a×1.1", "BREAK×-1.1", "b×1.1"]),
        ("(a BREAK b:1)", ["a×1.0", "BREAK", "b×1.0"]), ("([a BREAK b])", ["a×1.0", "BREAK", "b×1.0"]),
        ("((a BREAK b:2):0.5) c", ["a×1.0", "BREAK", "b c×1.0"]),
        ("(a BREAK b:-1)", ["a×-1.0", "BREAK×1.0", "b×-1.0"]),
        ("a.BREAK.b", ["a.×1.0", "BREAK", ".b×1.0"]), ("éBREAK", ["éBREAK×1.0"]),
        ("x_BREAK 1BREAK", ["x_BREAK 1BREAK×1.0"]),
        ("a BREAK\u{301} b", ["a×1.0", "BREAK", "\u{301} b×1.0"]),
        ("a \u{1C}BREAK\u{A0} BREAK b", ["a×1.0", "BREAK", "×1.0", "BREAK", "b×1.0"]),
        ("BREAKBREAK BREAK", ["BREAKBREAK×1.0", "BREAK", "×1.0"]),
        ("e\u{301}(e\u{301})", ["é×1.0", "é×1.1"]), ("(\u{301}x)", ["\u{301}x×1.1"]),
    ])
    func readsBrackets(_ prompt: String, _ expected: [String]) {
        #expect(pieces(prompt) == expected)
    }

    @Test func thousandsOfBracketsAreReadAtOnce() {
        let deep = String(repeating: "(", count: 10_000) + "x" + String(repeating: ")", count: 10_000)
        #expect(AttentionSyntax.parse(deep).count == 1)
        let open = String(repeating: "[(", count: 5_000)
        #expect(AttentionSyntax.parse(open).map(\.text).joined().isEmpty)
    }

    @Test func andDividesAPrompt() {
        let cases: [(prompt: String, texts: [String], weights: [Float])] = [
            ("a cat", ["a cat"], [1]), ("a cat AND a dog", ["a cat ", " a dog"], [1, 1]),
            ("a cat :1.2 AND a dog: -0.5", ["a cat", " a dog"], [1.2, -0.5]),
            ("SAND AND ANDES", ["SAND ", " ANDES"], [1, 1]), ("AND", ["", ""], [1, 1]), ("x:y", ["x:y"], [1]),
            ("a.AND.b", ["a.", ".b"], [1, 1]), ("a AND\u{301} b", ["a ", "\u{301} b"], [1, 1]),
            ("x :1e5", ["x :1e5"], [1]), ("x:+.5 ", ["x"], [0.5]), ("x:5.", ["x"], [5]),
            ("x:.", ["x:."], [1]),
            ("x:1:2", ["x:1"], [2]), ("x\n:\n1.5\n", ["x"], [1.5]), (":2", [""], [2]),
        ]
        for one in cases {
            let parts = PromptComposition.parts(of: one.prompt)
            #expect(parts.map(\.text) == one.texts)
            #expect(parts.map(\.weight) == one.weights)
        }
    }
}

@Suite struct PromptEditingTests {
    private func stages(_ prompt: String) -> [String] {
        PromptEditing.stages(of: prompt, steps: 10).map { "\($0.lastStep) \($0.text)" }
    }

    /// AUTOMATIC1111's own examples, but for equal texts, which are one stage here.
    @Test(arguments: [
        ("test", ["10 test"]), ("a [b:3]", ["3 a ", "10 a b"]), ("a [b: 3]", ["3 a ", "10 a b"]),
        ("a [[[b]]:2]", ["2 a ", "10 a [[b]]"]), ("[(a:2):3]", ["3 ", "10 (a:2)"]),
        ("a [b : c : 1] d", ["1 a b  d", "10 a  c  d"]),
        ("a[b:[c:d:2]:1]e", ["1 abe", "2 ace", "10 ade"]), ("a [unbalanced", ["10 a [unbalanced"]),
        ("a [b:.5] c", ["5 a  c", "10 a b c"]), ("((a][:b:c [d:3]", ["3 ((a][:b:c ", "10 ((a][:b:c d"]),
        ("[from::0.35]", ["3 from", "10 "]), ("[a:b:100]", ["10 a"]), ("[a:b:0]", ["10 b"]),
        ("[a:b:-3]", ["10 b"]), ("[a:b:-1.0e30]", ["10 b"]), ("[a:b:1.0e30]", ["10 a"]),
        ("[a:b:-1.0e308]", ["10 b"]), ("[a:b:-1e30]", ["10 b"]),
        ("(x [a:b:5]:1.2)", ["5 (x a:1.2)", "10 (x b:1.2)"]), ("[a:b:c]", ["10 [a:b:c]"]),
        ("[weak]", ["10 [weak]"]),
        ("\\[a:b:5\\]", ["10 \\[a:b:5\\]"]), ("a:b:5", ["10 a:b:5"]),
    ])
    func editsByStep(_ prompt: String, _ expected: [String]) { #expect(stages(prompt) == expected) }

    /// Its examples of a second pass; a number of steps goes on from the first.
    @Test(arguments: [
        ("a [b:.5] c", 10, ["10 a b c"]), ("a [b:1.5] c", 10, ["5 a  c", "10 a b c"]),
        ("[a:b:8]", 8, ["10 b"]), ("[a:b:11]", 8, ["3 a", "10 b"]), ("[a:b:11.0]", 8, ["10 a"]),
    ])
    func secondPassesGoOn(_ prompt: String, _ firstSteps: Int, _ expected: [String]) {
        let stages = PromptEditing.stages(of: prompt, steps: 10, after: firstSteps)
        #expect(stages.map { "\($0.lastStep) \($0.text)" } == expected)
    }

    @Test func alternates() {
        #expect(stages("[fe|]male") == (1...10).map { "\($0) \($0 % 2 == 1 ? "fe" : "")male" })
        #expect(stages("[a|(b:1.1)]").prefix(3) == ["1 a", "2 (b:1.1)", "3 a"])
        #expect(stages("[x|[y:z:5]]").suffix(3) == ["8 z", "9 x", "10 z"])
    }

    @Test func deepBracketsAreText() {
        let deep = String(repeating: "[", count: 10_000) + "a:b:5" + String(repeating: "]", count: 10_000)
        #expect(PromptEditing.stages(of: deep, steps: 10).count >= 1)
        let open = String(repeating: "[a:", count: 20_000)
        #expect(PromptEditing.stages(of: open, steps: 10).map(\.text) == [open])
    }
}

@Suite struct EmphasisTests {
    private let embeddings: [Float] = [1, 2, 3, 4]

    @Test func eachRule() {
        let weights: [Float] = [1, 2]
        func applied(_ emphasis: Emphasis) -> [Float] {
            emphasis.applied(weights, to: embeddings, empty: [1, 1, 1, 1])
        }
        #expect(applied(.noNorm) == [1, 2, 6, 8])
        #expect(applied(.ignore) == embeddings)
        #expect(applied(.interpolated) == [1, 2, 5, 7])
        // The mean was 10/4 and is 17/4.
        for (value, wanted) in zip(applied(.original), [1, 2, 6, 8].map { Float($0) * 10 / 17 }) {
            #expect(abs(value - wanted) < 1e-6)
        }
        #expect(Emphasis.original.applied([1, 1], to: embeddings, empty: []) == embeddings)
        #expect(Emphasis.original.applied([3, -3], to: [1, 1, 1, 1], empty: []) == [3, 3, -3, -3])
    }
}
