import Conditioning
import Foundation

/// Files that make a tokenizer make one whose tokens are all its own.
func checkTokenizer(_ bytes: [UInt8]) throws(Broken) {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let folder = FileManager.default.temporaryDirectory.appending(path: "easel-fuzz-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let vocabulary = folder.appending(path: "vocab.json")
    let merges = folder.appending(path: "merges.txt")
    do {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(parts[0]).write(to: vocabulary)
        try Data(parts.dropFirst().first ?? []).write(to: merges)
    } catch {
        throw Broken(description: "no folder for the files: \(error)")
    }
    guard let tokenizer = try? CLIPTokenizer(vocabulary: vocabulary, merges: merges) else { return }
    let tokens = tokenizer.tokenize("a red apple on a table, \u{1F34E}").ids
    try require(tokens.count == tokenizer.length, "\(tokens.count) tokens, not \(tokenizer.length)")
}
