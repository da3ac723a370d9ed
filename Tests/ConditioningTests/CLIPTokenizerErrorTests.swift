import Checkpoints
import Conditioning
import Foundation
import Testing

/// Files that cannot be a tokenizer's are refused with the place and the values.
@Suite struct CLIPTokenizerErrorTests {
    /// A folder with a whole tokenizer, in which a test spoils one file.
    private final class Folder {
        let url: URL

        init(_ name: String = "stable-diffusion-1") throws {
            url = FileManager.default.temporaryDirectory.appending(path: "tokenizer-\(UUID().uuidString)")
            let golden = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../Golden/tokens").appending(path: name).standardized
            try FileManager.default.copyItem(at: golden, to: url)
        }

        deinit { try? FileManager.default.removeItem(at: url) }

        func edit(_ file: String, _ old: String, _ new: String) throws {
            let path = url.appending(path: file)
            let text = try String(contentsOf: path, encoding: .utf8)
            try #require(text.contains(old))
            try text.replacingOccurrences(of: old, with: new).write(
                to: path, atomically: true, encoding: .utf8)
        }

        func error() -> (any Error)? {
            do {
                _ = try CLIPTokenizer(folder: url)
                return nil
            } catch { return error }
        }
    }

    @Test func vocabularyIDs() throws {
        for (new, check) in [
            ("\"#\": 1,", { if case .duplicateID(_, 1, "\"", "#") = $0 { true } else { false } }),
            ("\"#\": -2,", { if case .invalidID(_, "#", "-2") = $0 { true } else { false } }),
            ("\"#\": 2.5,", { if case .invalidID(_, "#", "2.5") = $0 { true } else { false } }),
            (
                "\"#\": 99999999999999999999,",
                { if case .invalidID(_, "#", "99999999999999999999") = $0 { true } else { false } }
            ),
            ("\"#\": 5000000000,", { if case .invalidID(_, "#", "5000000000") = $0 { true } else { false } }),
            ("\"#\": \"2\",", { if case .invalidID(_, "#", _) = $0 { true } else { false } }),
            ("\"#\": 5000,", { if case .missingID(_, 2, 914) = $0 { true } else { false } }),
        ] as [(String, (TokenizerError) -> Bool)] {
            let folder = try Folder()
            try folder.edit("vocab.json", "\"#\": 2,", new)
            let error = try #require(folder.error() as? TokenizerError, "\(new)")
            #expect(check(error), "\(error)")
            #expect(error.description.contains("vocab.json"))
        }
    }

    @Test func merges() throws {
        let folder = try Folder()
        try folder.edit("merges.txt", "#version: 0.2\n", "#version: 0.2\r\nabsent tokens\r\n")
        let expected = TokenizerError.unknownTokenInMerge(
            file: folder.url.appending(path: "merges.txt").path, place: .line(2), token: "absent")
        #expect(folder.error() as? TokenizerError == expected)
        #expect(expected.description.contains("merges.txt, line 2: the token \"absent\""))
        for line in ["one", "a b c", " b", "a ", ""] {
            let folder = try Folder()
            try folder.edit("merges.txt", "#version: 0.2\n", "#version: 0.2\n\(line)\n")
            let path = folder.url.appending(path: "merges.txt").path
            let expected = TokenizerError.malformedMerge(file: path, place: .line(2), text: line)
            #expect(folder.error() as? TokenizerError == expected)
        }
    }

    @Test func missingFiles() throws {
        let folder = try Folder()
        let merges = folder.url.appending(path: "merges.txt")
        try FileManager.default.removeItem(at: merges)
        #expect(folder.error() as? FileError == .missing(path: merges.path))
        try FileManager.default.createDirectory(at: merges, withIntermediateDirectories: false)
        #expect(folder.error() as? FileError == .notRegular(path: merges.path, kind: .folder))
        try FileManager.default.removeItem(at: merges)
        try FileManager.default.removeItem(at: folder.url.appending(path: "vocab.json"))
        #expect(folder.error() as? TokenizerError == .noTokenizer(folder: folder.url.path))
    }

    @Test func configuration() throws {
        let absent = try Folder()
        try absent.edit(
            "special_tokens_map.json", "\"pad_token\": \"<|endoftext|>\"", "\"pad_token\": \"[PAD]\"")
        let map = absent.url.appending(path: "special_tokens_map.json").path
        #expect(
            absent.error() as? TokenizerError == .missingToken(file: map, role: "pad_token", token: "[PAD]"))
        // In 2 there is no room for a prompt between its start and its end.
        for length in [1, 2] {
            let number = try Folder()
            try number.edit(
                "tokenizer_config.json", "\"model_max_length\": 77", "\"model_max_length\": \(length)")
            #expect((number.error() as? ConfigurationError)?.key == "model_max_length")
        }
        let side = try Folder()
        try side.edit(
            "tokenizer_config.json", "\"model_max_length\"",
            "\"padding_side\": \"left\", \"model_max_length\"")
        #expect((side.error() as? ConfigurationError)?.key == "padding_side")
        let text = try Folder()
        try Data("tokens".utf8).write(to: text.url.appending(path: "vocab.json"))
        #expect(text.error() is JSONError)
        let list = try Folder()
        try Data("[]".utf8).write(to: list.url.appending(path: "vocab.json"))
        #expect(list.error() is TokenizerError)
    }

    @Test(arguments: [
        ("\"type\": \"BPE\"", "\"type\": \"WordPiece\"", "model.type"),
        ("\"end_of_word_suffix\": \"</w>\"", "\"end_of_word_suffix\": null", "model.end_of_word_suffix"),
        ("\"byte_fallback\": false", "\"byte_fallback\": true", "model.byte_fallback"),
        ("\"type\": \"Lowercase\"", "\"type\": \"NFKC\"", "normalizer.normalizers[2].type"),
        ("\"type\": \"Split\"", "\"type\": \"Metaspace\"", "pre_tokenizer.pretokenizers[0].type"),
        ("'ll|'d", "'ll", "pre_tokenizer.pretokenizers[0].pattern.Regex"),
    ])
    func otherTokenizers(old: String, new: String, field: String) throws {
        let folder = try Folder("stable-diffusion-1-json")
        try folder.edit("tokenizer.json", old, new)
        let error = try #require(folder.error() as? TokenizerError)
        guard case .unsupported(_, field, _, _) = error else {
            Issue.record("\(error)")
            return
        }
    }

    @Test func modelThatDoesNotFit() throws {
        let folder = try Folder()
        let tokenizer = try CLIPTokenizer(folder: folder.url)
        withExtendedLifetime(folder) {}
        try tokenizer.check(embeddings: 914, positions: 77)
        #expect(throws: TokenizerError.tooFewEmbeddings(tokens: 914, embeddings: 913)) {
            try tokenizer.check(embeddings: 913, positions: 77)
        }
        #expect(throws: TokenizerError.unusableLength(length: 77, positions: 64)) {
            try tokenizer.check(embeddings: 914, positions: 64)
        }
    }
}
