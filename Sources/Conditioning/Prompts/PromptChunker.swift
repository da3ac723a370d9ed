/// Weighted texts to chunks of as many tokens as the text encoder takes.
struct PromptChunker {
    let tokenizer: CLIPTokenizer
    /// How many ids the text encoder takes.
    let length: Int
    private let keepsTogether: Cohesion
    private let comma: Int32?

    /// What is not divided between chunks where it fits into one.
    enum Cohesion {
        /// What follows the last comma, if it is not too far back: AUTOMATIC1111's rule.
        case phrases
        /// Texts of one weight with less than eight tokens: ComfyUI's.
        case shortTexts
        case nothing
    }

    /// A chunk that is full ends at a comma not farther back than this.
    private static let backtrack = 20
    private static let shortCount = 8

    init(tokenizer: CLIPTokenizer, length: Int, keepsTogether: Cohesion = .phrases) {
        self.tokenizer = tokenizer
        self.length = length
        self.keepsTogether = keepsTogether
        comma = keepsTogether == .phrases ? tokenizer.encode(",").first : nil
    }

    /// - Parameter limit: How many chunks there may be, from 1.
    /// - Returns: At least one chunk, and the tokens that are over the limit.
    func chunks(of pieces: [WeightedText], limit: Int) -> (chunks: [PromptChunk], cut: [Int32]) {
        let capacity = length - 2
        var chunks: [PromptChunk] = []
        var cut: [Int32] = []
        var open: [(id: Int32, weight: Float)] = []
        var lastComma: Int?
        func close() {
            if chunks.count < limit {
                chunks.append(PromptChunk(open, tokenizer: tokenizer, length: length))
            } else {
                cut += open.map(\.id)
            }
            open = []
            lastComma = nil
        }
        for piece in pieces {
            if piece.isBreak {
                close()
                continue
            }
            let ids = tokenizer.encode(piece.text)
            if keepsTogether == .shortTexts, ids.count < Self.shortCount, open.count + ids.count > capacity {
                close()
            }
            for id in ids {
                if id == comma {
                    lastComma = open.count
                } else if open.count == capacity, let last = lastComma, open.count - last <= Self.backtrack {
                    let moved = Array(open[(last + 1)...])
                    open.removeSubrange((last + 1)...)
                    close()
                    open = moved
                }
                if open.count == capacity { close() }
                // A learned word's embeddings stand together where one chunk holds them.
                if let count = tokenizer.learnedLength(startingWith: id), open.count + count > capacity,
                    !open.isEmpty
                {
                    close()
                }
                open.append((id, piece.weight))
            }
        }
        if !open.isEmpty || chunks.isEmpty { close() }
        return (chunks, cut)
    }
}
