import ArgumentParser
import Conditioning
import Easel
import Foundation

/// `easel tokens`: how a prompt is read.
struct TokensCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens",
        abstract: "Show how a prompt is read: its parts, stages, chunks, tokens and weights.")

    @Argument(help: "The prompt.")
    var prompt: String
    @Option(
        name: [.short, .long],
        help: "A model: a folder in diffusers' layout, or a single file (default: the demo model).")
    var model: String?
    @Option(
        help:
            "CLIP's vocabulary for a model in a single file: a tokenizer folder (default: the installed one)."
    )
    var vocabulary: String?
    @Option(help: "a1111, comfyui, sd.cpp, compel or plain.")
    var promptSyntax = PromptSyntax.a1111
    @Option(help: "How many steps there will be, for what changes on the way.")
    var steps = 25

    func validate() throws {
        guard (1...1000).contains(steps) else {
            throw ValidationError("--steps \(steps) is not possible: it must be from 1 to 1000.")
        }
    }

    func run() async throws {
        await reportingErrors { try show() }
    }

    private func show() throws {
        let tokenizer = try CLIPTokenizer(
            ofModelAt: ModelLocation.url(named: model), vocabulary: vocabulary.map { URL(filePath: $0) })
        let parsed = try ParsedPrompt(
            ExtraNetworks(prompt, syntax: promptSyntax).text, syntax: promptSyntax, steps: steps,
            tokenizer: tokenizer, length: tokenizer.length)
        for (index, part) in parsed.subprompts.enumerated() {
            if parsed.subprompts.count > 1 { print("Part \(index + 1), weight \(part.weight)") }
            var first = 0
            for stage in part.stages {
                if part.stages.count > 1 {
                    let last = min(stage.lastStep, steps - 1)
                    guard first <= last else { continue }
                    print("Steps \(first + 1) to \(last + 1): \(stage.text)")
                    first = last + 1
                }
                for (number, passage) in stage.passages.enumerated() {
                    // The others are the same with words left out.
                    for term in passage.terms where term.chunk.hidden.isEmpty {
                        let share = term.share == 1 ? "" : ", \(rounded(term.share)) of the whole"
                        print(
                            "Chunk \(number + 1): \(term.chunk.count) of \(tokenizer.length - 2) tokens\(share)"
                        )
                        show(term.chunk, tokenizer)
                    }
                }
            }
        }
        if parsed.cutTokens > 0 { print("Cut off: \(parsed.cutTokens) tokens: \(parsed.cutText)") }
    }

    private func show(_ chunk: PromptChunk, _ tokenizer: CLIPTokenizer) {
        for place in 1..<1 + chunk.count {
            let text = tokenizer.decode([chunk.ids[place]])
            let weight = chunk.weights[place] == 1 ? "" : "  × \(rounded(chunk.weights[place]))"
            print("  \(padded(chunk.ids[place]))  \(text)\(weight)")
        }
    }

    private func padded(_ id: Int32) -> String {
        String(repeating: " ", count: max(5 - "\(id)".count, 0)) + "\(id)"
    }

    private func rounded(_ weight: Float) -> String { String(format: "%g", weight) }
}
