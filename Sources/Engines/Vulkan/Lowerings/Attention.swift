import TensorGraph

extension Lowering {
    /// softmax(q kᵀ · scale + mask) v, `[N, heads, L, E]`, which lies as `[N, L, heads, E]`.
    mutating func attend(
        queries: View, keys: View, values: View, mask: View?, scale: Float
    ) throws -> View {
        let (size, valueSize) = (queries.shape[3], values.shape[3])
        let (pictures, heads) = (queries.shape[0], queries.shape[1])
        let scores = [pictures, heads, queries.shape[2], keys.shape[2]]
        if let y = try attendCooperatively(queries, keys, values, mask, scale) { return y }
        guard let tile = attentionTile(size: size, valueSize: valueSize) else {
            return try attendByScores(queries, keys, values, mask, scale, scores: scores)
        }
        func rows(_ view: View) throws -> View {
            view.shape[3] == 1 || view.strides[3] == 1 ? view : try contiguous(view)
        }
        let (queries, keys, values) = (try rows(queries), try rows(keys), try rows(values))
        let y = allocate([pictures, heads, scores[2], valueSize], order: [0, 2, 1, 3])
        let maskStrides = mask?.broadcastStrides(to: scores) ?? [0, 0, 0, 0]
        let strides = [queries, keys, values, y].flatMap { $0.strides.dropLast() } + maskStrides
        call(
            Kernel(
                shader: .attention, isHalf: isHalf,
                constants: [
                    Int32(size), Int32(valueSize), tile.queries, tile.keys, mask == nil ? 0 : 1,
                ]),
            [.reads(queries), .reads(keys), .reads(values), .reads(mask ?? .absent), .writes(y)],
            [UInt32(scores[2]), UInt32(scores[3]), UInt32(heads), scale.bitPattern]
                + strides.map { UInt32($0) },
            Workgroups((scores[2] + Int(tile.queries) - 1) / Int(tile.queries), pictures * heads),
            products: ProductSizes(
                rows: scores[2], columns: scores[3], depth: size + valueSize, batches: pictures * heads))
        return y
    }

    /// How many queries and keys a workgroup has in its shared memory; nil where heads are too large for any.
    private func attentionTile(size: Int, valueSize: Int) -> (queries: Int32, keys: Int32)? {
        guard size > 0, valueSize > 0 else { return nil }
        let candidates: [(Int, Int)] = [(32, 32), (16, 32), (16, 16), (8, 16)]
        let fitting = candidates.first { queries, keys in
            let numbers = queries * (size + 1) + keys * (max(size, valueSize) + 1) + queries * (keys + 1)
            return numbers * 4 <= tuning.sharedMemoryByteCount
        }
        return fitting.map { (Int32($0), Int32($1)) }
    }

    /// The same with the scores in memory.
    private mutating func attendByScores(
        _ queries: View, _ keys: View, _ values: View, _ mask: View?, _ scale: Float, scores shape: [Int]
    ) throws -> View {
        var scores = try multiply(
            queries, keys, MatrixMultiply(transposesRight: true), shape: shape, scale: scale)
        if let mask { scores = try apply(.add, scores, mask, shape: shape) }
        return try multiply(
            try softmax(scores, axis: 3), values, MatrixMultiply(),
            shape: Array(shape.prefix(3)) + [values.shape[3]])
    }
}
