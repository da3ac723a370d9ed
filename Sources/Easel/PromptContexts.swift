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
                for chunk in stage.chunks {
                    values += emphasis.applied(chunk.weights, to: encoded[chunk] ?? empty, empty: empty)
                }
                for _ in stage.chunks.count..<max(chunks, stage.chunks.count) { values += empty }
                return Stage(lastStep: stage.lastStep, embeddings: values)
            }
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

extension Model {
    /// The prompts of a plan, encoded: each chunk once.
    func encode(_ plan: GenerationPlan, _ textEncoder: any CompiledGraph) async throws -> PromptContexts {
        let positions = parts.textEncoder.positions
        func encode(_ ids: [Int32]) async throws -> [Float] {
            try await textEncoder.run(["tokens": HostTensor(ids, shape: [1, positions])])
                .output("embeddings").floats
        }
        var known: [[Int32]: [Float]] = [:]
        var encoded: [PromptChunk: [Float]] = [:]
        for chunk in plan.prompts.flatMap(\.stages).flatMap(\.chunks) where encoded[chunk] == nil {
            if known[chunk.ids] == nil { known[chunk.ids] = try await encode(chunk.ids) }
            encoded[chunk] = known[chunk.ids]
        }
        let emptyIDs = parts.tokenizer.framed([], length: positions)
        let needsEmpty =
            plan.emphasis == .interpolated
            || plan.prompts.flatMap(\.stages).contains { $0.chunks.count < plan.chunkCount }
        let empty: [Float]
        if let same = known[emptyIDs] ?? (needsEmpty ? nil : known.values.first) {
            empty = same
        } else {
            empty = try await encode(emptyIDs)
        }
        return PromptContexts(
            plan.prompts, chunks: plan.chunkCount, emphasis: plan.emphasis, encoded: encoded, empty: empty,
            positions: positions)
    }
}
