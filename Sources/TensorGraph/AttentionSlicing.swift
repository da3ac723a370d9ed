extension Graph {
    /// The graph with attention computed for some queries at a time, so that the scores of all queries for all keys are
    /// never in memory at once: diffusers' attention slicing, along the queries.
    ///
    /// Each query's row of scores is its own, so that the values are the same.
    ///
    /// - Parameter limit: How many scores of an attention, over all heads and pictures, there may be at once; a slice has
    ///   one query at least.
    /// - Throws: ``GraphError`` where the graph does not verify.
    public func slicingAttention(scoresAtOnce limit: Int) throws -> Graph {
        try rewritten { operation, inputs in
            guard case .composite(let composite) = operation, composite is ScaledDotProductAttention else {
                return nil
            }
            let (queries, keys) = (inputs[0], inputs[1])
            let count = queries.size(2)
            let scoresOfQuery = queries.size(0) * queries.size(1) * keys.size(2)
            guard scoresOfQuery > 0, scoresOfQuery * count > limit else { return nil }
            let most = max(1, limit / scoresOfQuery)
            // Slices of one size, but for the last.
            let slices = (count + most - 1) / most
            let size = (count + slices - 1) / slices
            let parts = stride(from: 0, to: count, by: size).map { start in
                let range = start..<min(start + size, count)
                var own = inputs
                own[0] = slice(queries, axis: 2, range)
                if own.count == 4, own[3].shape.rank >= 2, own[3].size(-2) == count, count > 1 {
                    own[3] = slice(own[3], axis: -2, range)
                }
                return queries.builder.append(composite, own)
            }
            return parts.count == 1 ? parts[0] : concatenate(parts, axis: 2)
        }
    }
}
