import Conditioning

/// Files that make a tokenizer make one whose tokens are all its own.
func checkTokenizer(_ bytes: [UInt8]) throws(Broken) {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let vocabulary = try temporaryFile("vocab.json", Array(parts[0]))
    let merges = try temporaryFile("merges.txt", Array(parts.dropFirst().first ?? []))
    guard let tokenizer = try? CLIPTokenizer(vocabulary: vocabulary, merges: merges) else { return }
    let tokens = tokenizer.tokenize("a red apple on a table, \u{1F34E}").ids
    try require(tokens.count == tokenizer.length, "\(tokens.count) tokens, not \(tokenizer.length)")
}
