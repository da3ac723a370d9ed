import Checkpoints
import Conditioning
import Foundation
import Sampling
import Synchronization

/// The words that a model was last asked to learn: a file that is asked for again is not read again.
final class EmbeddingLibrary: Sendable {
    /// The size of an embedding in each text encoder.
    private let widths: [Int]
    private let vocabularySize: Int
    private let known: Mutex<[LoadedFile: TextualInversion]> = Mutex([:])

    /// The endings of the files that are looked at for a word.
    private static let endings = ["safetensors", "pt", "bin"]

    init(_ parts: ModelParts) {
        widths = parts.textEncoders.map(\.configuration.width)
        vocabularySize = parts.tokenizer.tokenCount
    }

    /// The words that a request's prompts may have.
    ///
    /// - Parameters:
    ///   - bundled: Words of the request's LoRAs, which count where no file has them.
    ///   - warn: Told of words of LoRAs and of files in the request's folders that are for other models; their names are
    ///     text then.
    /// - Throws: `FileError`, `SafetensorsError`, `TorchError`, `TextualInversionError`, ``EmbeddingError``.
    func load(_ request: Request, bundled: [TextualInversion] = [], warn: (Warning) -> Void) throws
        -> LearnedEmbeddings
    {
        var result = LearnedEmbeddings(firstID: vocabularySize)
        let prompts = [request.prompt, request.negativePrompt]
        let marked = prompts.flatMap { request.promptSyntax.markedWords(in: $0) }
        guard
            !request.embeddings.isEmpty || !request.embeddingFolders.isEmpty || !marked.isEmpty
                || !bundled.isEmpty
        else { return result }
        let before = known.withLock { $0 }
        var read: [LoadedFile: TextualInversion] = [:]
        func inversion(_ path: String) throws -> TextualInversion {
            let file = LoadedFile(path)
            let inversion = try before[file] ?? TextualInversion(contentsOf: URL(filePath: path))
            read[file] = inversion
            return inversion
        }
        for embedding in request.embeddings {
            let inversion = try inversion(embedding.path)
            let own = [Self.name(of: URL(filePath: embedding.path))] + (inversion.word.map { [$0] } ?? [])
            result.files.append(embedding.path)
            result.add(
                try inversion.embeddings(widths: widths), count: inversion.count,
                words: embedding.word.map { [$0] } ?? own)
        }
        let files = Self.files(in: request.embeddingFolders)
        let texts = prompts.map(Self.folded)
        // Other programs than diffusers know a file by its name alone: what it says itself is text in their prompts.
        let takesOwnWords = request.promptSyntax.learnedWords == .text
        for (name, file) in files where !result.has(name) {
            guard texts.contains(where: { $0.contains(Self.folded(name)) }) else { continue }
            do {
                let inversion = try inversion(file.path)
                result.add(
                    try inversion.embeddings(widths: widths), count: inversion.count,
                    words: [name, takesOwnWords ? inversion.word : nil].compactMap { $0 }
                        .filter { !result.has($0) })
                result.files.append(file.path)
            } catch let error as TextualInversionError where !marked.contains(name) {
                warn(.embeddingLeftOut(reason: error.description))
            }
        }
        for inversion in bundled {
            guard let word = inversion.word, !result.has(word),
                texts.contains(where: { $0.contains(Self.folded(word)) })
            else { continue }
            let fitting = Result { () throws(TextualInversionError) in
                try inversion.embeddings(widths: widths)
            }
            switch fitting {
            case .success(let embeddings): result.add(embeddings, count: inversion.count, words: [word])
            case .failure(let error): warn(.embeddingLeftOut(reason: error.description))
            }
        }
        for word in marked where !result.has(word) {
            throw EmbeddingError(
                word: word, folders: request.embeddingFolders.map(\.path),
                nearest: nearestNames(to: word, among: files.map(\.name)))
        }
        known.withLock { [read] in $0 = read }
        return result
    }

    /// The words of files in folders and all below, in order; of several of one name the first.
    private static func files(in folders: [URL]) -> [(name: String, file: URL)] {
        var names: Set<String> = []
        var found: [(name: String, file: URL)] = []
        for folder in folders {
            let own = folder.filesBelow().filter { endings.contains($0.pathExtension) }
            for file in own.sorted(by: { $0.path < $1.path }) where names.insert(name(of: file)).inserted {
                found.append((name(of: file), file))
            }
        }
        return found
    }

    private static func name(of file: URL) -> String { file.deletingPathExtension().lastPathComponent }

    /// A text without what does not matter to tokens.
    private static func folded(_ text: String) -> String {
        text.precomposedStringWithCanonicalMapping.lowercased().filter { !$0.isWhitespace }
    }
}

/// What tells a file from what its path leads to later.
struct LoadedFile: Hashable, Codable, Sendable {
    let path: String
    let modified: Date?
    let byteCount: Int?

    init(_ path: String) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        self.path = path
        modified = attributes?[.modificationDate] as? Date
        byteCount = attributes?[.size] as? Int
    }
}

/// Words with their embeddings, for one request.
struct LearnedEmbeddings: Sendable {
    private(set) var words: [LearnedWord] = []
    /// Where they come from.
    fileprivate(set) var files: [String] = []
    private let firstID: Int32
    /// Of each token from the first learned one on, the embedding in each text encoder.
    private var embeddings: [[[Float]]] = []

    init(firstID: Int) { self.firstID = Int32(firstID) }

    fileprivate func has(_ name: String) -> Bool { words.contains { $0.name == name } }

    /// - Parameter matrices: For each text encoder, `count` embeddings one after the other.
    fileprivate mutating func add(_ matrices: [[Float]], count: Int, words names: [String]) {
        let start = firstID + Int32(embeddings.count)
        for index in 0..<count {
            embeddings.append(
                matrices.map { matrix in
                    let width = matrix.count / count
                    return Array(matrix[index * width..<(index + 1) * width])
                })
        }
        var unique: Set<String> = []
        for name in names where unique.insert(name).inserted {
            words.append(LearnedWord(name, ids: start..<start + Int32(count)))
        }
    }

    /// The embedding of a token in a text encoder; nil where the vocabulary has the token.
    func embedding(of id: Int32, textEncoder: Int) -> [Float]? {
        id < firstID ? nil : embeddings[Int(id - firstID)][textEncoder]
    }
}
