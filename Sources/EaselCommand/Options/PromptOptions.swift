import ArgumentParser
import Conditioning
import Easel
import EaselHub
import Foundation

extension PromptSyntax: ExpressibleByArgument {}
extension Emphasis: ExpressibleByArgument {}
extension LoRA: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
extension Embedding: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

/// The options of how prompts are read. What is not given stays as the request has it.
struct PromptOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "What the picture does not show.")
    var negativePrompt: String?
    @Option(
        help:
            "a1111, comfyui, sd.cpp, compel or plain: what brackets, BREAK, AND, ++ and .blend() mean (default: a1111)."
    )
    var promptSyntax: PromptSyntax?
    @Option(help: "A style of the table --styles to put to the prompts; repeatable.")
    var style: [String] = []
    @Option(help: "A CSV file with the columns name, prompt and negative_prompt (default: styles.csv).")
    var styles: String?
    @Flag(
        inversion: .prefixedNo,
        help: "Take {a|b} and __name__ as choices, made from each picture's seed (default: yes).")
    var dynamicPrompts: Bool?
    @Option(help: "A folder of text files: __name__ is a line of name.txt.")
    var wildcards: String?
    @Option(help: "original, no-norm, interpolated or ignore: what weights do (default: the syntax's own).")
    var emphasis: Emphasis?
    @Option(help: "Which of the text encoder's layers is read, counted from the last (default: 1, the last).")
    var clipSkip: Int?

    @Option(
        help: ArgumentHelp(
            "A LoRA, LoCon, LoHa, LoKr or DoRA to take the model with, and how strongly (default: 1); repeatable.",
            valueName: "FILE[:weight[:te-weight]]"))
    var lora: [LoRA] = []
    @Option(
        help: """
            A folder of LoRAs that the prompt names, as <lora:name:0.8>; of two weights the text encoder's is first, as \
            AUTOMATIC1111 has it; repeatable.
            """)
    var loraDir: [String] = []
    @Option(
        help: ArgumentHelp(
            "A word that the model is taught (textual inversion), known by the file's name or the one given; repeatable.",
            valueName: "FILE[:word]"))
    var embedding: [Embedding] = []
    @Option(help: "A folder of such files, each known by its name; repeatable.")
    var embeddingDir: [String] = []

    /// - Parameter swept: The names of options that have several values.
    /// - Throws: `ValidationError` for a table of which no style is taken.
    func check(swept: Set<String>) throws {
        if styles != nil, style.isEmpty, !swept.contains("style") {
            throw ValidationError("--styles names a table, and --style what is taken of it: name a style.")
        }
    }

    /// - Throws: `FileError`, `PromptStyleError`.
    func apply(to request: inout Request) throws {
        if let negativePrompt { request.negativePrompt = negativePrompt }
        if let promptSyntax { request.promptSyntax = promptSyntax }
        if let wildcards {
            request.wildcards = Wildcards(folder: URL(filePath: wildcards))
            request.dynamicPrompts = true
        }
        if let dynamicPrompts { request.dynamicPrompts = dynamicPrompts }
        if !style.isEmpty {
            let table = try PromptStyles(contentsOf: URL(filePath: styles ?? "styles.csv"))
            for name in style { request.apply(try table.named(name)) }
        }
        if let emphasis { request.emphasis = emphasis }
        if let clipSkip { request.clipSkip = clipSkip }
        if !lora.isEmpty { request.loras = lora }
        if !embedding.isEmpty { request.embeddings = embedding }
        if !embeddingDir.isEmpty { request.embeddingFolders = embeddingDir.map { URL(filePath: $0) } }
        if !loraDir.isEmpty { request.loraFolders = loraDir.map { URL(filePath: $0) } }
    }

    /// Finds what is named and not a path, and where prompts' names are looked for, among the models on this machine.
    func resolveNames(in request: inout Request, _ store: ModelStore) {
        for index in request.loras.indices {
            request.loras[index].path = ModelLocation.path(
                named: request.loras[index].path, kind: .lora, store: store)
        }
        for index in request.embeddings.indices {
            request.embeddings[index].path = ModelLocation.path(
                named: request.embeddings[index].path, kind: .embedding, store: store)
        }
        request.loraFolders += store.folders(of: .lora).filter { !request.loraFolders.contains($0) }
        request.embeddingFolders += store.folders(of: .embedding).filter {
            !request.embeddingFolders.contains($0)
        }
    }
}
