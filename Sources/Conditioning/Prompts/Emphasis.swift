/// How tokens' weights change their embeddings.
public enum Emphasis: String, Sendable, Hashable, CaseIterable {
    /// Each token's embedding times its weight, then all so that the chunk's mean is as before: AUTOMATIC1111's.
    ///
    /// That program encodes all stages of a prompt that changes on the way at once, and keeps the mean of them together;
    /// here each chunk keeps its own, so that such a prompt with weights differs a little.
    case original
    /// The same without the mean: better for models that it disturbs.
    case noNorm = "no-norm"
    /// Away from or towards what the empty prompt has at that place: ComfyUI's.
    case interpolated
    /// Weights are read and do nothing.
    case ignore

    /// A chunk's embeddings with its weights: `[tokens, width]`.
    ///
    /// - Parameter empty: The empty prompt's embeddings, of the same shape.
    public func applied(_ weights: [Float], to embeddings: [Float], empty: @autoclosure () -> [Float])
        -> [Float]
    {
        guard self != .ignore, weights.contains(where: { $0 != 1 }) else { return embeddings }
        let width = embeddings.count / weights.count
        if self == .interpolated {
            let base = empty()
            return embeddings.indices.map { base[$0] + weights[$0 / width] * (embeddings[$0] - base[$0]) }
        }
        let weighted = embeddings.indices.map { embeddings[$0] * weights[$0 / width] }
        guard self == .original else { return weighted }
        let (before, after) = (mean(embeddings), mean(weighted))
        // Where weights cancel the mean there is nothing to scale by.
        guard after != 0 else { return weighted }
        return weighted.map { $0 * Float(before / after) }
    }

    private func mean(_ values: [Float]) -> Double {
        values.reduce(0) { $0 + Double($1) } / Double(values.count)
    }
}
