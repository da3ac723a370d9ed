import Foundation
import ProgramFiles

/// CLIP's vocabulary, for models in single files, which have none: `bpe_simple_vocab_16e6.txt`, which the set-up
/// installs beside Easel.
enum CLIPVocabulary {
    private static let name = "bpe_simple_vocab_16e6.txt"

    /// The file, in `.clip` or `share/easel` above the program.
    ///
    /// - Throws: ``VocabularyMissing``.
    static func installed() throws(VocabularyMissing) -> URL {
        if let file = ProgramFiles.first(of: ".clip/\(name)", "share/easel/\(name)") { return file }
        throw VocabularyMissing(program: ProgramFiles.program.path)
    }
}

/// There is no vocabulary for a model in a single file.
public struct VocabularyMissing: Error, Sendable, Hashable, CustomStringConvertible {
    public let program: String

    public var description: String {
        "a model in a single file needs CLIP's vocabulary, and there is no .clip/bpe_simple_vocab_16e6.txt above "
            + "\(program): run Scripts/set-up.sh, or name a vocabulary with --vocabulary (a model's tokenizer folder)"
    }
}
