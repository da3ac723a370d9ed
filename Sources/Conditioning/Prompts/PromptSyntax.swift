/// How a prompt is read.
public enum PromptSyntax: String, Sendable, Hashable, CaseIterable {
    /// AUTOMATIC1111's: weights, breaks, composition, editing and alternation; of any length.
    case a1111
    /// As diffusers reads it: every character is text, and what is over one chunk is cut off.
    case plain
}

/// A piece of a prompt that the text encoder reads at once.
public struct PromptChunk: Sendable, Hashable {
    /// As many as the text encoder takes: start, tokens, end, padding.
    public let ids: [Int32]
    /// How strong each is, one an id; 1 where nothing is said.
    public let weights: [Float]
    /// How many of the ids are the prompt's own, behind the start.
    public let count: Int

    /// Whether no weight is other than 1.
    public var isPlain: Bool { weights.allSatisfy { $0 == 1 } }
}

/// A prompt's text from one step to another.
public struct PromptStage: Sendable, Hashable {
    /// The last step that it is used at, counted from 0 as AUTOMATIC1111 counts: its stages change a step later than
    /// they say.
    public let lastStep: Int
    /// What is left of the prompt at these steps.
    public let text: String
    public let chunks: [PromptChunk]
}

/// A part of a prompt that leads on its own, beside others (Liu et al., "Compositional Visual Generation", 2022).
public struct Subprompt: Sendable, Hashable {
    public let weight: Float
    /// In order; the last is used to the end.
    public let stages: [PromptStage]

    /// What is used at a step, counted from 0.
    public func stage(at step: Int) -> PromptStage {
        stages.first { step <= $0.lastStep } ?? stages[stages.count - 1]
    }
}

/// A prompt as the text encoder and the guidance use it.
public struct ParsedPrompt: Sendable, Hashable {
    public let subprompts: [Subprompt]
    /// How many tokens were over what is encoded, and the text of them, of the stage with the most.
    public let cutTokens: Int
    public let cutText: String

    /// The most chunks that are encoded; the rest of a prompt is cut off.
    public static let chunkLimit = 32

    /// Reads a prompt.
    ///
    /// - Parameters:
    ///   - steps: How many there will be, for what changes on the way.
    ///   - length: How many ids the text encoder takes, at least 3.
    ///   - composes: Whether `AND` divides it, as it does a prompt and not a negative prompt.
    public init(
        _ prompt: String, syntax: PromptSyntax, steps: Int, tokenizer: CLIPTokenizer, length: Int,
        composes: Bool = true
    ) {
        if syntax == .plain {
            let tokens = tokenizer.tokenize(prompt, length: length)
            let chunk = PromptChunk(
                ids: tokens.ids, weights: Array(repeating: 1, count: length), count: tokens.promptCount)
            let stage = PromptStage(lastStep: steps, text: prompt, chunks: [chunk])
            subprompts = [Subprompt(weight: 1, stages: [stage])]
            (cutTokens, cutText) = (tokens.cutIDs.count, tokens.cutText)
            return
        }
        let chunker = PromptChunker(tokenizer: tokenizer, length: length)
        var (cutTokens, cutText) = (0, "")
        var known: [String: [PromptChunk]] = [:]
        func chunks(of text: String) -> [PromptChunk] {
            if let chunks = known[text] { return chunks }
            let made = chunker.chunks(of: AttentionSyntax.parse(text), limit: Self.chunkLimit)
            if made.cut.count > cutTokens {
                (cutTokens, cutText) = (made.cut.count, tokenizer.decode(made.cut))
            }
            known[text] = made.chunks
            return made.chunks
        }
        let parts = composes ? PromptComposition.parts(of: prompt) : [(text: prompt, weight: Float(1))]
        subprompts = parts.map { part in
            Subprompt(
                weight: part.weight,
                stages: PromptEditing.stages(of: part.text, steps: steps).map {
                    PromptStage(lastStep: $0.lastStep, text: $0.text, chunks: chunks(of: $0.text))
                })
        }
        self.cutTokens = cutTokens
        self.cutText = cutText
    }
}
