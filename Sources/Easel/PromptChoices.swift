import Conditioning

extension Request {
    /// The request as ones whose prompts have no choices left: itself where there is nothing to choose, else one for
    /// each picture.
    ///
    /// - Throws: `DynamicPromptError`, `FileError`.
    func withChoicesMade() throws -> [Request] {
        var request = self
        guard dynamicPrompts, promptSyntax != .plain else { return [self] }
        request.dynamicPrompts = false
        let (own, negative) = (DynamicPrompt(prompt), DynamicPrompt(negativePrompt))
        let seed = seed ?? UInt64(UInt32.random(in: 0...UInt32.max))
        request.prompt = try own.resolved(seed: seed, wildcards: wildcards)
        request.negativePrompt = try negative.resolved(seed: ~seed, wildcards: wildcards)
        guard own.hasChoices || negative.hasChoices else { return [request] }
        return try (0..<count).map { index in
            let pictureSeed = seed &+ UInt64(index)
            var single = request
            (single.count, single.batchSize) = (1, 1)
            single.firstPicture = firstPicture + index
            single.prompt = try own.resolved(seed: pictureSeed, wildcards: wildcards)
            single.negativePrompt = try negative.resolved(seed: ~pictureSeed, wildcards: wildcards)
            single.template = PromptTemplate(
                prompt: prompt, negativePrompt: negativePrompt,
                made: [single.prompt, single.negativePrompt])
            single.seed = seed
            if (variation?.strength ?? 0) > 0 {
                single.variation?.subseed &+= UInt64(index)
            } else {
                single.seed = pictureSeed
            }
            return single
        }
    }
}

extension Request {
    /// What the prompts were before choices were made in them, where they are still what those became.
    var currentTemplate: PromptTemplate? {
        template.flatMap { $0.made == [prompt, negativePrompt] ? $0 : nil }
    }
}

/// Prompts as they were before their choices were made.
struct PromptTemplate: Sendable, Hashable {
    let prompt: String
    let negativePrompt: String
    /// What they became.
    let made: [String]
}
