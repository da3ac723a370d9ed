import ArgumentParser
import Conditioning
import Easel

extension PromptSyntax: ExpressibleByArgument {}
extension Emphasis: ExpressibleByArgument {}

/// The options of how prompts are read. What is not given stays as the request has it.
struct PromptOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "What the picture does not show.")
    var negativePrompt: String?
    @Option(
        help:
            "a1111 or plain: whether brackets, BREAK, AND and [from:to:when] mean something (default: a1111)."
    )
    var promptSyntax: PromptSyntax?
    @Option(help: "original, no-norm, interpolated or ignore: what weights do (default: original).")
    var emphasis: Emphasis?
    @Option(help: "Which of the text encoder's layers is read, counted from the last (default: 1, the last).")
    var clipSkip: Int?

    func apply(to request: inout Request) {
        if let negativePrompt { request.negativePrompt = negativePrompt }
        if let promptSyntax { request.promptSyntax = promptSyntax }
        if let emphasis { request.emphasis = emphasis }
        if let clipSkip { request.clipSkip = clipSkip }
    }
}
