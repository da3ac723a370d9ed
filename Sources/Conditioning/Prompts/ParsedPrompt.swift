/// A prompt's text from one step to another.
public struct PromptStage: Sendable, Hashable {
    /// The last step that it is used at, counted from 0 as AUTOMATIC1111 counts: its stages change a step later than
    /// they say.
    public let lastStep: Int
    /// What is left of the prompt at these steps.
    public let text: String
    /// One behind the other.
    public let passages: [PromptPassage]
}

/// A part of a prompt that leads on its own, beside others (Liu et al., "Compositional Visual Generation", 2022).
public struct Subprompt: Sendable, Hashable {
    public let weight: Float
    /// In order; the last is used to the end.
    public let stages: [PromptStage]

    /// How many passages the longest stage has.
    public var passageCount: Int { stages.map(\.passages.count).max() ?? 0 }

    /// The place among ``stages`` of what is used at a step, counted from 0.
    public func stageIndex(at step: Int) -> Int {
        stages.firstIndex { step <= $0.lastStep } ?? stages.count - 1
    }
}

/// A prompt as the text encoder and the guidance use it.
public struct ParsedPrompt: Sendable, Hashable {
    public private(set) var subprompts: [Subprompt] = []
    /// How many tokens were over what is encoded, and the text of them, of the stage with the most.
    public private(set) var cutTokens = 0
    public private(set) var cutText = ""

    /// The most chunks that are encoded; the rest of a prompt is cut off.
    public static let chunkLimit = 32

    /// Reads a prompt.
    ///
    /// - Parameters:
    ///   - steps: How many there will be, for what changes on the way; AUTOMATIC1111 counts the model's calls instead.
    ///   - firstSteps: The same of the pass before, where this is the second of two; nil for the only pass or the first.
    ///   - length: How many ids the text encoder takes, at least 3.
    ///   - composes: Whether `AND` divides it, as it does a prompt and not a negative prompt.
    /// - Throws: ``PromptError``, in Compel's syntax only.
    public init(
        _ prompt: String, syntax: PromptSyntax, steps: Int, after firstSteps: Int? = nil,
        tokenizer: CLIPTokenizer, length: Int, composes: Bool = true
    ) throws(PromptError) {
        switch syntax {
        case .plain: readPlain(prompt, steps: steps, tokenizer: tokenizer, length: length)
        case .compel:
            let read = try CompelSyntax.parse(prompt)
            let encoder = CompelChunker(tokenizer: tokenizer, length: length)
            let (passages, cut) = encoder.passages(of: read, limit: Self.chunkLimit)
            subprompts =
                ([Subprompt(weight: 1, stages: [.init(lastStep: steps, text: prompt, passages: passages)])])
            note(cut, tokenizer)
        case .comfyui:
            let chunker = PromptChunker(tokenizer: tokenizer, length: length, keepsTogether: .shortTexts)
            readWhole(ComfyUISyntax.parse(prompt), prompt, chunker, steps: steps)
        case .stableDiffusionCpp:
            let chunker = PromptChunker(tokenizer: tokenizer, length: length, keepsTogether: .nothing)
            readWhole(AttentionSyntax.parse(prompt), prompt, chunker, steps: steps)
        case .a1111:
            let prompt = PromptComments.stripped(from: prompt)
            let parts = composes ? PromptComposition.parts(of: prompt) : [(text: prompt, weight: Float(1))]
            let chunker = PromptChunker(tokenizer: tokenizer, length: length)
            var known: [String: [PromptPassage]] = [:]
            func passages(of text: String) -> [PromptPassage] {
                if let passages = known[text] { return passages }
                let made = chunker.chunks(of: AttentionSyntax.parse(text), limit: Self.chunkLimit)
                note(made.cut, tokenizer)
                let passages = made.chunks.map { PromptPassage($0) }
                known[text] = passages
                return passages
            }
            let subprompts = parts.map { part in
                let stages = PromptEditing.stages(of: part.text, steps: steps, after: firstSteps)
                return Subprompt(
                    weight: part.weight,
                    stages: stages.map {
                        PromptStage(lastStep: $0.lastStep, text: $0.text, passages: passages(of: $0.text))
                    })
            }
            self.subprompts = subprompts
        }
    }

    /// Reads texts that are the same at every step.
    private mutating func readWhole(
        _ pieces: [WeightedText], _ prompt: String, _ chunker: PromptChunker, steps: Int
    ) {
        let made = chunker.chunks(of: pieces, limit: Self.chunkLimit)
        let passages = made.chunks.map { PromptPassage($0) }
        let stage = PromptStage(lastStep: steps, text: prompt, passages: passages)
        subprompts = [Subprompt(weight: 1, stages: [stage])]
        note(made.cut, chunker.tokenizer)
    }

    private mutating func readPlain(_ prompt: String, steps: Int, tokenizer: CLIPTokenizer, length: Int) {
        let tokens = tokenizer.tokenize(prompt, length: length)
        let chunk = PromptChunk(
            ids: tokens.ids, weights: Array(repeating: 1, count: length), count: tokens.promptCount)
        let stage = PromptStage(lastStep: steps, text: prompt, passages: [PromptPassage(chunk)])
        subprompts = [Subprompt(weight: 1, stages: [stage])]
        (cutTokens, cutText) = (tokens.cutIDs.count, tokens.cutText)
    }

    /// Keeps what was cut off, where it is the most so far.
    private mutating func note(_ cut: [Int32], _ tokenizer: CLIPTokenizer) {
        if cut.count > cutTokens { (cutTokens, cutText) = (cut.count, tokenizer.decode(cut)) }
    }
}
