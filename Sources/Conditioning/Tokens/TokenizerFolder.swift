import Checkpoints
import Foundation

extension CLIPTokenizer {
    /// What a tokenizer's folder may have.
    private static let fileNames = [
        "vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json",
    ]

    /// Writes a model's `tokenizer` folder, as transformers reads it: a copy of another, or CLIP's own.
    ///
    /// - Parameters:
    ///   - source: A `tokenizer` folder, or OpenAI's file of merges.
    ///   - padsWithFirst: Whether prompts are filled up with the first token, as OpenCLIP's encoders have it; else as the
    ///     folder says.
    /// - Throws: As ``init(vocabulary:padsWithFirst:)``, and where a file cannot be written.
    public static func writeFiles(of source: URL, padsWithFirst: Bool, to folder: URL) throws {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: source.path, isDirectory: &isFolder)
        if isFolder.boolValue {
            for name in fileNames {
                let file = source.appending(path: name)
                guard FileManager.default.fileExists(atPath: file.path) else { continue }
                let target = folder.appending(path: name)
                if padsWithFirst, ["tokenizer_config.json", "special_tokens_map.json"].contains(name) {
                    let first = try CLIPTokenizer(folder: source).token(of: 0)
                    let members = try Configuration(contentsOf: file).members
                    try Data(JSONValue.object(members.with("pad_token", .string(first))).text.utf8)
                        .write(to: target)
                } else {
                    try Data([UInt8](contentsOf: file, limit: MergesFile.maximumByteCount)).write(to: target)
                }
            }
            return
        }
        let (tokens, merges) = try vocabularyOfMerges(source)
        var entries = JSONObject()
        for (id, token) in tokens.enumerated() { _ = entries.append(JSONValue(id), for: token) }
        try Data(JSONValue.object(entries).text.utf8).write(to: folder.appending(path: "vocab.json"))
        let lines = [Array("#version: 0.2".utf8)] + merges.map { Array($0) }
        try Data(lines.joined(separator: [0x0A]) + [0x0A]).write(to: folder.appending(path: "merges.txt"))
        let configuration: JSONObject = [
            "add_prefix_space": false, "bos_token": .string(startContent), "do_lower_case": true,
            "eos_token": .string(endContent), "errors": "replace", "model_max_length": 77,
            "pad_token": .string(padsWithFirst ? "!" : endContent), "tokenizer_class": "CLIPTokenizer",
            "unk_token": .string(endContent),
        ]
        try Data(JSONValue.object(configuration).text.utf8)
            .write(to: folder.appending(path: "tokenizer_config.json"))
    }

    private static let startContent = CLIPTokenizerConfiguration().start.content
    private static let endContent = CLIPTokenizerConfiguration().end.content
}
