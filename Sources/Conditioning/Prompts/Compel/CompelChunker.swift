import Foundation

/// Compel's prompts to passages: what is stronger goes farther from the empty prompt, what is weaker is mixed with the
/// same prompt that does not attend to it.
struct CompelChunker {
    let tokenizer: CLIPTokenizer
    /// How many ids the text encoder takes.
    let length: Int
    private let sentenceEnds: Set<Int32>
    private let phraseEnds: Set<Int32>

    init(tokenizer: CLIPTokenizer, length: Int) {
        self.tokenizer = tokenizer
        self.length = length
        func tokens(_ texts: [String]) -> Set<Int32> {
            Set(texts.map(tokenizer.encode).filter { $0.count == 1 }.joined())
        }
        sentenceEnds = tokens(["."])
        phraseEnds = tokens([".", ",", ";", ":"])
    }

    /// - Parameter limit: How many passages there may be, from 1.
    /// - Returns: At least one passage, and the tokens that are over the limit.
    func passages(of prompt: CompelPrompt, limit: Int) -> (passages: [PromptPassage], cut: [Int32]) {
        let empty = PromptChunk([], tokenizer: tokenizer, length: length)
        var passages: [PromptPassage] = []
        for part in prompt.parts {
            let mixtures = part.terms.map { (share: $0.share, places: places(of: $0.fragments)) }
            let count = mixtures.map(\.places.count).max() ?? 0
            for index in 0..<count {
                var terms: [PromptPassage.Term] = []
                for (share, places) in mixtures {
                    // A shorter prompt of a mixture is filled up with the empty one.
                    for term in index < places.count ? places[index] : [(empty, 1)] {
                        terms.append(.init(chunk: term.0, share: Float(share * term.1 * part.weight)))
                    }
                }
                if part.weight != 1 { terms.append(.init(chunk: empty, share: Float(1 - part.weight))) }
                passages.append(PromptPassage(terms))
            }
        }
        return (
            Array(passages.prefix(limit)),
            passages.dropFirst(limit).flatMap { $0.chunk.ids[1..<1 + $0.chunk.count] }
        )
    }

    /// For each chunk of a text, what it is mixed of.
    private func places(of fragments: [CompelPrompt.Fragment]) -> [[(PromptChunk, Double)]] {
        let encoded = fragments.map { (ids: tokenizer.encode($0.text), weight: $0.weight) }
        let tokens = encoded.flatMap { fragment in
            fragment.ids.map { (id: $0, weight: Float(fragment.weight)) }
        }
        var starts: [Int] = []
        var chunks: [PromptChunk] = []
        var start = 0
        repeat {
            let end = splitPoint(tokens[start...].map(\.id)) + start
            chunks.append(PromptChunk(tokens[start..<end], tokenizer: tokenizer, length: length))
            starts.append(start)
            start = end
        } while start < tokens.count

        /// The place of a token among all chunks' ids.
        func place(of token: Int) -> Int {
            let chunk = starts.lastIndex { $0 <= token } ?? 0
            return chunk * length + 1 + token - starts[chunk]
        }
        var mixture: [(chunks: [PromptChunk], share: Double)] = [(chunks, 1)]
        var token = 0
        for (ids, weight) in encoded {
            defer { token += ids.count }
            guard weight < 1, !ids.isEmpty else { continue }
            var without = chunks
            // The frames' own tokens are always attended to.
            for place in place(of: token)...place(of: token + ids.count - 1)
            where place % length != 0 && place % length != length - 1 {
                without[place / length].hidden.insert(place % length)
            }
            mixture.append((without, tan((1 - max(1e-5, weight)) * .pi / 2)))
        }
        let sum = mixture.reduce(0) { $0 + $1.share }
        return chunks.indices.map { index in mixture.map { ($0.chunks[index], $0.share / sum) } }
    }

    /// How many tokens the next chunk takes: to the end of a sentence, else of a phrase, else of a word.
    private func splitPoint(_ ids: [Int32]) -> Int {
        let capacity = length - 2
        guard ids.count > capacity else { return ids.count }
        let full = ids[..<capacity]
        let last =
            full.lastIndex(where: sentenceEnds.contains) ?? full.lastIndex(where: phraseEnds.contains)
            ?? full.lastIndex(where: tokenizer.endsWord)
        return last.map { $0 + 1 } ?? capacity
    }
}
