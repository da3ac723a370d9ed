import Testing

@testable import Conditioning

/// What AUTOMATIC1111's two substitutions give.
@Suite struct PromptCommentTests {
    @Test func commentsAreNoPrompt() {
        let cases: [(String, String)] = [
            ("a red apple", "a red apple"),
            ("# note\na cat", "\na cat"),
            ("a cat # soft\na dog", "a cat \na dog"),
            ("a\n# b\nc", "a\nc"),
            ("a\n# b\n# c\nd", "a\n\nd"),
            ("a #b", "a \n"),
            ("#", "\n"),
            ("", ""),
            ("##\n#x", "\n\n"),
            ("a \\# b", "a \\\n"),
            ("a #b\r\nc", "a \nc"),
            ("x #a\n#b\ny", "x \ny"),
            ("\n#a", "\n"),
            ("\n\n#a\n\n#b\n", "\n\n\n"),
            ("e\u{301}#\u{301}a\nb", "e\u{301}\nb"),
        ]
        for (prompt, rest) in cases { #expect(PromptComments.stripped(from: prompt) == rest) }
    }
}
