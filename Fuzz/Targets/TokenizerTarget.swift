import Conditioning

/// Files that make a tokenizer make one whose tokens are all its own: a vocabulary and its merges; or one file, which is
/// read as `tokenizer.json` and as OpenAI's merges too.
func checkTokenizer(_ bytes: [UInt8]) throws(Broken) {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let file = try temporaryFile("vocab.json", Array(parts[0]))
    let merges = try temporaryFile("merges.txt", Array(parts.dropFirst().first ?? []))
    var tokenizers = [try? CLIPTokenizer(vocabulary: file, merges: merges)]
    if parts.count == 1 {
        tokenizers.append(try? CLIPTokenizer(tokenizerJSON: file))
        tokenizers.append(try? CLIPTokenizer(vocabulary: file, padsWithFirst: true))
    }
    for tokenizer in tokenizers.compactMap({ $0 }) {
        let tokens = tokenizer.tokenize("a red apple on a table, \u{1F34E}").ids
        try require(tokens.count == tokenizer.length, "\(tokens.count) tokens, not \(tokenizer.length)")
        let known = 0..<Int32(tokenizer.tokenCount)
        try require(tokens.allSatisfy(known.contains), "a token is not in the vocabulary")
    }
}
