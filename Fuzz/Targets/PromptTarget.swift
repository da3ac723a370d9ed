import Conditioning
import Foundation

private let tokenizer = Result {
    let golden = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Tests/Golden")
    return try CLIPTokenizer(folder: golden.appending(path: "models/tiny-sd1/tokenizer"))
}

/// Any text has tokens; they are framed to 77 and none is lost. Any text can be read with each program's syntax; only
/// Compel's refuses some.
func checkPrompt(_ bytes: [UInt8]) throws(Broken) {
    guard case .success(let tokenizer) = tokenizer else { throw Broken(description: "no tokenizer") }
    let prompt = String(decoding: bytes, as: UTF8.self)
    let all = tokenizer.encode(prompt)
    let known = 0..<Int32(tokenizer.tokenCount)
    try require(all.allSatisfy(known.contains), "a token is not in the vocabulary")
    let tokens = tokenizer.tokenize(prompt)
    try require(tokens.ids.count == 77 && tokens.ids[0] == tokenizer.startToken, "not framed: \(tokens.ids)")
    try require(
        Array((all.prefix(75) + tokens.cutIDs)) == all, "\(tokens.cutIDs.count) tokens cut of \(all.count)")
    _ = tokenizer.decode(all)

    // Without wildcards, only choices without end are refused, and the same seed chooses the same.
    let dynamic = DynamicPrompt(prompt)
    if let chosen = try? dynamic.resolved(seed: 7) {
        try require(chosen == (try? dynamic.resolved(seed: 7)), "another choice for the same seed")
        try require(dynamic.hasChoices || chosen.utf8.count <= prompt.utf8.count, "text out of nothing")
    }

    for syntax in PromptSyntax.allCases {
        let parsed: ParsedPrompt
        do throws(PromptError) {
            parsed = try ParsedPrompt(
                prompt, syntax: syntax, steps: 7, tokenizer: tokenizer, length: 77)
        } catch {
            try require(syntax == .compel && !error.description.isEmpty, "\(syntax): \(error)")
            continue
        }
        try checkParse(parsed)
    }
}

private func checkParse(_ parsed: ParsedPrompt) throws(Broken) {
    for part in parsed.subprompts {
        try require(part.stages.last?.lastStep == 7, "no stage at the end")
        for chunk in part.stages.flatMap(\.passages).flatMap(\.terms).map(\.chunk) {
            try require(chunk.ids.count == 77 && chunk.weights.count == 77, "a chunk of \(chunk.ids.count)")
            try require(chunk.weights.allSatisfy { !$0.isNaN }, "a weight that is no number")
        }
    }
}
