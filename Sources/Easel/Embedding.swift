import Conditioning
import Foundation

/// A word that a model is taught by a small file (textual inversion), and how prompts write it.
public struct Embedding: Sendable, Hashable, Codable {
    /// Its file.
    public var path: String
    /// What prompts have; nil is the file's name without its ending, and the word that the file itself says.
    public var word: String?

    public init(path: String, word: String? = nil) {
        self.path = path
        self.word = word
    }

    /// Reads `FILE` or `FILE:word`.
    ///
    /// - Returns: Nil where there is no file's name.
    public init?(_ text: String) {
        guard !text.isEmpty else { return nil }
        // A path may have colons itself.
        if let colon = text.lastIndex(of: ":"), colon > text.startIndex,
            !FileManager.default.fileExists(atPath: text)
        {
            let word = text[text.index(after: colon)...]
            if !word.isEmpty, !word.contains("/") {
                self.init(path: String(text[..<colon]), word: String(word))
                return
            }
        }
        self.init(path: text)
    }
}

/// A prompt names a word that there is no file of.
public struct EmbeddingError: Error, Sendable, Hashable, CustomStringConvertible {
    public let word: String
    public let folders: [String]
    public let nearest: [String]

    public var description: String {
        "the prompt has embedding:\(word), but there is no such file"
            + (folders.isEmpty
                ? "; name it with --embedding, or its folder with --embedding-dir"
                : " in \(folders.joined(separator: ", "))")
            + (nearest.isEmpty ? "" : "; nearest: " + nearest.joined(separator: ", "))
    }
}
