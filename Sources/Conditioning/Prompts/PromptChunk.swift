/// A piece of a prompt that the text encoder reads at once.
public struct PromptChunk: Sendable, Hashable {
    /// As many as the text encoder takes: start, tokens, end, padding.
    public let ids: [Int32]
    /// How strong each is, one an id; 1 where nothing is said.
    public let weights: [Float]
    /// How many of the ids are the prompt's own, behind the start.
    public let count: Int
    /// The places that no token attends to.
    public var hidden: Set<Int> = []

    /// Whether no weight is other than 1.
    public var isPlain: Bool { weights.allSatisfy { $0 == 1 } }

    /// - Parameter count: How many of the ids are the prompt's own, behind the start.
    public init(ids: [Int32], weights: [Float], count: Int) {
        self.ids = ids
        self.weights = weights
        self.count = count
    }

    /// Tokens with weights, framed to a length.
    init(_ tokens: some Collection<(id: Int32, weight: Float)>, tokenizer: CLIPTokenizer, length: Int) {
        ids = tokenizer.framed(tokens.map(\.id)[...], length: length)
        weights = [1] + tokens.map(\.weight) + Array(repeating: 1, count: length - 1 - tokens.count)
        count = tokens.count
    }
}

/// What stands at a chunk's place among the embeddings: a sum of chunks'.
public struct PromptPassage: Sendable, Hashable {
    public struct Term: Sendable, Hashable {
        public let chunk: PromptChunk
        public let share: Float
    }

    public let terms: [Term]

    /// The chunk that counts for what is shown.
    public var chunk: PromptChunk { terms[0].chunk }

    init(_ terms: [Term]) { self.terms = terms }
    init(_ chunk: PromptChunk) { terms = [Term(chunk: chunk, share: 1)] }
}
