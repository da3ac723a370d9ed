import Conditioning
import EngineInterface
import TensorGraph

/// What the U-Net is led by at each step: the embeddings of the negative prompt, where there is guidance, and of each part
/// of the prompt, all of one length.
struct PromptContexts: Sendable {
    /// One for each pass through the U-Net, the negative prompt's first.
    private let prompts: [Subprompt]
    /// What each prompt's stages lead by.
    private let passes: [[Stage]]
    /// Whether prompts change at the model's calls, not at the sampler's steps.
    private let countsCalls: Bool
    /// What the U-Net is told of a picture's size in each pass; none where it is told nothing.
    private let sizeNumbers: [[Float]]
    /// How many embeddings there are in each.
    let tokens: Int
    let width: Int

    private struct Stage: Sendable {
        /// [tokens, width]
        let embeddings: [Float]
        /// [pooledWidth]; none where the U-Net is not told of it.
        let pooled: [Float]
    }

    /// - Parameters:
    ///   - plan: The prompts, one for each pass.
    ///   - encoders: What each text encoder makes of the prompts' chunks.
    ///   - positions: How many embeddings there are in a chunk.
    init(_ plan: GenerationPlan, encoders: [EncodedChunks], positions: Int) {
        tokens = plan.chunkCount * positions
        width = encoders.map(\.empty.count).reduce(0, +) / positions
        sizeNumbers = plan.sizeNumbers.filter { !$0.isEmpty }
        prompts = plan.prompts
        countsCalls = plan.request.profile.countsCalls
        passes = plan.prompts.enumerated().map { pass, prompt in
            let chunks = plan.chunkCount(of: prompt)
            return prompt.stages.map { stage in
                var values: [Float] = []
                for passage in stage.passages {
                    let parts = encoders.map { $0.sum(passage, plan.emphasis) }
                    values += Self.sideBySide(parts, rows: positions)
                }
                let empty = Self.sideBySide(encoders.map(\.empty), rows: positions)
                for _ in stage.passages.count..<chunks { values += empty }
                // To attend to embeddings that are there several times is to attend to them once.
                values = Array(repeatElement(values, count: plan.chunkCount / chunks).joined())
                var pooled = encoders.last?.pooled(stage.passages[0]) ?? []
                if plan.zeroesNegativePrompt, pass == 0 {
                    values = values.map { _ in 0 }
                    pooled = pooled.map { _ in 0 }
                }
                return Stage(embeddings: values, pooled: pooled)
            }
        }
    }

    /// Matrices of as many rows, as one.
    private static func sideBySide(_ parts: [[Float]], rows: Int) -> [Float] {
        if parts.count == 1 { return parts[0] }
        return (0..<rows).flatMap { row in
            parts.flatMap { part in
                let width = part.count / rows
                return part[row * width..<(row + 1) * width]
            }
        }
    }

    /// A pass's embeddings `[tokens, width]` in a stage, and what is said of the prompt and the size beside them; nothing
    /// where the U-Net is told nothing.
    fileprivate func led(pass: Int, stage: Int) -> (embeddings: [Float], pooled: [Float], numbers: [Float]) {
        let stage = passes[pass][stage]
        return (stage.embeddings, stage.pooled, sizeNumbers.isEmpty ? [] : sizeNumbers[pass])
    }

    fileprivate var passCount: Int { passes.count }

    fileprivate func stages(at step: Int, call: Int) -> [Int] {
        prompts.map { $0.stageIndex(at: countsCalls ? call : step) }
    }
}

/// What the U-Net is led by at each step, for the pictures of a batch: those of one request by the same.
struct BatchContexts: Sendable {
    /// One for each request, of as many passes, tokens and numbers.
    private let contexts: [PromptContexts]
    /// How many pictures each request has in the batch.
    private let pictures: [Int]

    init(_ contexts: [PromptContexts], pictures: [Int]) {
        self.contexts = contexts
        self.pictures = pictures
    }

    /// Which stage of its prompt each pass is led by, for each request.
    ///
    /// - Parameters:
    ///   - step: The sampler's, from 0.
    ///   - call: Of the model, from 0.
    func stages(at step: Int, call: Int) -> [[Int]] { contexts.map { $0.stages(at: step, call: call) } }

    /// The inputs of the U-Net that lead it: `context` `[passes · pictures, tokens, width]`, the pictures of a pass one
    /// after the other; `pooled` and `numbers` of as many rows, where it is told of them.
    ///
    /// - Parameter stages: Which stage of its prompt each pass is led by, for each request.
    func inputs(of stages: [[Int]]) -> [String: HostTensor] {
        let first = contexts[0]
        var rows: [(embeddings: [Float], pooled: [Float], numbers: [Float])] = []
        for pass in 0..<first.passCount {
            for (index, own) in contexts.enumerated() {
                let led = own.led(pass: pass, stage: stages[index][pass])
                rows += Array(repeating: led, count: pictures[index])
            }
        }
        func tensor(_ values: [[Float]], _ shape: [Int]) -> HostTensor {
            HostTensor(Array(values.joined()), shape: Shape([values.count] + shape))
        }
        var inputs = ["context": tensor(rows.map(\.embeddings), [first.tokens, first.width])]
        if let row = rows.first, !row.numbers.isEmpty {
            inputs["numbers"] = tensor(rows.map(\.numbers), [row.numbers.count])
            inputs["pooled"] = tensor(rows.map(\.pooled), [row.pooled.count])
        }
        return inputs
    }
}

/// What a text encoder makes of the chunks of prompts.
struct EncodedChunks: Sendable {
    /// The embeddings `[positions, width]` of each chunk.
    let embeddings: [PromptChunk: [Float]]
    /// Those of the empty prompt's chunk, which shorter prompts are filled up with.
    let empty: [Float]
    /// What is said of each chunk as a whole; none where the U-Net is not told of it.
    let pooled: [PromptChunk: [Float]]

    /// A passage's embeddings: `[positions, width]`.
    func sum(_ passage: PromptPassage, _ emphasis: Emphasis) -> [Float] {
        func own(_ term: PromptPassage.Term) -> [Float] {
            emphasis.applied(term.chunk.weights, to: embeddings[term.chunk] ?? empty, empty: empty)
        }
        if passage.terms.count == 1, passage.terms[0].share == 1 { return own(passage.terms[0]) }
        return passage.terms.reduce(into: [Float](repeating: 0, count: empty.count)) { sum, term in
            for (index, value) in own(term).enumerated() { sum[index] += term.share * value }
        }
    }

    /// What is said of a passage as a whole, without weights.
    func pooled(_ passage: PromptPassage) -> [Float] {
        passage.terms.reduce(into: []) { sum, term in
            let own = (pooled[term.chunk] ?? []).map { term.share * $0 }
            sum = sum.isEmpty ? own : zip(sum, own).map { $0 + $1 }
        }
    }
}

/// What the text encoder reads at once.
private struct EncoderInput: Hashable {
    let ids: [Int32]
    let hidden: Set<Int>
}

extension Model {
    /// The prompts of a plan, encoded: each chunk once by each text encoder.
    func encode(_ plan: GenerationPlan, _ textEncoders: [any CompiledGraph]) async throws -> PromptContexts {
        var encoders: [EncodedChunks] = []
        for index in textEncoders.indices {
            encoders.append(try await encode(plan, textEncoder: index, textEncoders[index]))
        }
        return PromptContexts(plan, encoders: encoders, positions: parts.positions)
    }

    private func encode(_ plan: GenerationPlan, textEncoder index: Int, _ graph: any CompiledGraph)
        async throws -> EncodedChunks
    {
        let part = parts.textEncoders[index]
        let positions = part.configuration.positions
        func encode(_ input: EncoderInput) async throws -> (embeddings: [Float], pooled: [Float]) {
            let learned = input.ids.map { plan.embeddings.embedding(of: $0, textEncoder: index) }
            let ids = zip(input.ids, learned).map { $1 == nil ? $0 : 0 as Int32 }
            var inputs = ["tokens": HostTensor(ids, shape: [1, positions])]
            if plan.learnsWords {
                let width = part.configuration.width
                let values = learned.flatMap { $0 ?? Array(repeating: 0, count: width) }
                inputs["learned"] = HostTensor(values, shape: [1, positions, width])
                inputs["known"] = HostTensor(
                    learned.map { $0 == nil ? 1 : 0 as Float }, shape: [1, positions, 1])
            }
            if plan.hidesTokens {
                let mask = (0..<positions).map { input.hidden.contains($0) ? -Float.infinity : 0 }
                inputs["mask"] = HostTensor(mask, shape: [1, 1, 1, positions])
            }
            if part.pools {
                let end = input.ids.firstIndex(of: part.end) ?? positions - 1
                inputs["end"] = HostTensor([Int32(end)], shape: [1])
            }
            let outputs = try await graph.run(inputs)
            return (outputs.output("embeddings").floats, outputs["pooled"]?.floats ?? [])
        }
        let stages = plan.prompts.flatMap(\.stages)
        var known: [EncoderInput: (embeddings: [Float], pooled: [Float])] = [:]
        var embeddings: [PromptChunk: [Float]] = [:]
        var pooled: [PromptChunk: [Float]] = [:]
        for chunk in stages.flatMap(\.passages).flatMap(\.terms).map(\.chunk) where embeddings[chunk] == nil {
            let input = EncoderInput(ids: part.ids(of: chunk), hidden: chunk.hidden)
            if known[input] == nil { known[input] = try await encode(input) }
            embeddings[chunk] = known[input]?.embeddings
            pooled[chunk] = known[input]?.pooled
        }
        let emptyChunk = PromptChunk(
            ids: parts.tokenizer.framed([], length: positions),
            weights: Array(repeating: 1, count: positions), count: 0)
        let emptyInput = EncoderInput(ids: part.ids(of: emptyChunk), hidden: [])
        let needsEmpty =
            plan.emphasis == .interpolated
            || plan.prompts.contains { prompt in
                prompt.stages.contains { $0.passages.count < plan.chunkCount(of: prompt) }
            }
        let empty: [Float]
        if let same = known[emptyInput] ?? (needsEmpty ? nil : known.values.first) {
            empty = same.embeddings
        } else {
            empty = try await encode(emptyInput).embeddings
        }
        return EncodedChunks(embeddings: embeddings, empty: empty, pooled: pooled)
    }
}
