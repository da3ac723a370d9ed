import Conditioning
import EngineInterface
import TensorGraph

/// What the U-Net attends to at each step: the embeddings of the negative prompt, where there is guidance, and of each
/// part of the prompt, all of one length.
struct PromptContexts: Sendable {
    /// One for each pass through the U-Net, the negative prompt's first.
    private let passes: [[Stage]]
    /// How many embeddings there are in each.
    let tokens: Int
    let width: Int

    private struct Stage: Sendable {
        let lastStep: Int
        /// [tokens, width]
        let embeddings: [Float]
    }

    /// - Parameters:
    ///   - prompts: One for each pass.
    ///   - encoded: The embeddings `[positions, width]` of each chunk.
    ///   - empty: Those of the empty prompt's chunk, which shorter prompts are filled up with.
    init(
        _ prompts: [Subprompt], chunks: Int, emphasis: Emphasis, encoded: [PromptChunk: [Float]],
        empty: [Float], positions: Int
    ) {
        tokens = chunks * positions
        width = empty.count / positions
        passes = prompts.map { prompt in
            prompt.stages.map { stage in
                var values: [Float] = []
                for passage in stage.passages {
                    values += Self.sum(passage, emphasis, encoded, empty)
                }
                for _ in stage.passages.count..<max(chunks, stage.passages.count) { values += empty }
                return Stage(lastStep: stage.lastStep, embeddings: values)
            }
        }
    }

    /// A passage's embeddings: `[positions, width]`.
    private static func sum(
        _ passage: PromptPassage, _ emphasis: Emphasis, _ encoded: [PromptChunk: [Float]], _ empty: [Float]
    ) -> [Float] {
        func own(_ term: PromptPassage.Term) -> [Float] {
            emphasis.applied(term.chunk.weights, to: encoded[term.chunk] ?? empty, empty: empty)
        }
        if passage.terms.count == 1, passage.terms[0].share == 1 { return own(passage.terms[0]) }
        return passage.terms.reduce(into: [Float](repeating: 0, count: empty.count)) { sum, term in
            for (index, value) in own(term).enumerated() { sum[index] += term.share * value }
        }
    }

    /// `[passes · pictures, tokens, width]`, the pictures of a pass one after the other.
    ///
    /// - Parameter step: From 0.
    func context(at step: Int, pictures: Int) -> HostTensor {
        var values: [Float] = []
        values.reserveCapacity(passes.count * pictures * tokens * width)
        for stages in passes {
            let stage = stages.first { step <= $0.lastStep } ?? stages[stages.count - 1]
            for _ in 0..<pictures { values += stage.embeddings }
        }
        return HostTensor(values, shape: [passes.count * pictures, tokens, width])
    }

    /// Whether a step has other embeddings than the one before.
    func changes(at step: Int) -> Bool {
        passes.contains { stages in stages.dropLast().contains { $0.lastStep + 1 == step } }
    }
}

/// What the text encoder reads at once.
private struct EncoderInput: Hashable {
    let ids: [Int32]
    let hidden: Set<Int>
}

extension Model {
    /// The prompts of a plan, encoded: each chunk once.
    func encode(_ plan: GenerationPlan, _ textEncoder: any CompiledGraph) async throws -> PromptContexts {
        let positions = parts.textEncoder.positions
        func encode(_ input: EncoderInput) async throws -> [Float] {
            var inputs = ["tokens": HostTensor(input.ids, shape: [1, positions])]
            if plan.hidesTokens {
                let mask = (0..<positions).map { input.hidden.contains($0) ? -Float.infinity : 0 }
                inputs["mask"] = HostTensor(mask, shape: [1, 1, 1, positions])
            }
            return try await textEncoder.run(inputs).output("embeddings").floats
        }
        let stages = plan.prompts.flatMap(\.stages)
        var known: [EncoderInput: [Float]] = [:]
        var encoded: [PromptChunk: [Float]] = [:]
        for chunk in stages.flatMap(\.passages).flatMap(\.terms).map(\.chunk) where encoded[chunk] == nil {
            let input = EncoderInput(ids: chunk.ids, hidden: chunk.hidden)
            if known[input] == nil { known[input] = try await encode(input) }
            encoded[chunk] = known[input]
        }
        let emptyInput = EncoderInput(ids: parts.tokenizer.framed([], length: positions), hidden: [])
        let needsEmpty =
            plan.emphasis == .interpolated
            || stages.contains { $0.passages.count < plan.chunkCount }
        let empty: [Float]
        if let same = known[emptyInput] ?? (needsEmpty ? nil : known.values.first) {
            empty = same
        } else {
            empty = try await encode(emptyInput)
        }
        return PromptContexts(
            plan.prompts, chunks: plan.chunkCount, emphasis: plan.emphasis, encoded: encoded, empty: empty,
            positions: positions)
    }
}
