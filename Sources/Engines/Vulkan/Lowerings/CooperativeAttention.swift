import TensorGraph

/// What a workgroup of `attention_cooperative.comp` has.
private struct AttentionTile {
    /// A subgroup's queries, in matrices.
    let queryMatrices: Int
    /// The keys in the shared memory.
    let keys: Int
    let subgroups = 4

    func sharedMemoryByteCount(size: Int, valueSize: Int, _ matrices: CooperativeMatrices) -> Int {
        func stride(_ size: Int, _ multiple: Int) -> Int {
            (size + multiple - 1) / multiple * multiple / 8 + 1
        }
        let (own, value) = (stride(size, matrices.k), stride(valueSize, matrices.n))
        let queries = queries(matrices)
        return 16
            * (max(keys * (own + value), max(keys, queries) * own)
                + subgroups * matrices.m * (keys / 4 + 1) + subgroups * matrices.m / 4)
    }

    func queries(_ matrices: CooperativeMatrices) -> Int { subgroups * queryMatrices * matrices.m }
}

extension Lowering {
    /// Attention by matrices that subgroups hold together; nil where the device or the shapes do not permit it.
    mutating func attendCooperatively(
        _ queries: View, _ keys: View, _ values: View, _ mask: View?, _ scale: Float
    ) throws -> View? {
        let (size, valueSize) = (queries.shape[3], values.shape[3])
        guard isHalf, let matrices = tuning.matrices, size % 8 == 0, valueSize % 8 == 0
        else { return nil }
        let (pictures, heads, queryCount, keyCount) = (
            queries.shape[0], queries.shape[1], queries.shape[2], keys.shape[2]
        )
        let lanes = matrices.subgroupSize / matrices.m
        // Numbers that an invocation keeps grow with the sizes and with the queries.
        let isSmall = max(size, valueSize) <= 64 && queryCount >= 1024
        let candidates =
            (isSmall ? tuning.attentionKeys.map { AttentionTile(queryMatrices: 2, keys: $0) } : [])
            + tuning.attentionKeys.map { AttentionTile(queryMatrices: 1, keys: $0) }
        let tile = candidates.first { tile in
            tile.sharedMemoryByteCount(size: size, valueSize: valueSize, matrices)
                <= tuning.sharedMemoryByteCount
                && tile.keys % (4 * lanes) == 0 && max(size, valueSize) <= 256
        }
        guard let tile, tile.subgroups * matrices.subgroupSize <= tuning.largestWorkgroup else { return nil }
        func eights(_ view: View) throws -> View {
            let strides = zip(view.strides, view.shape).dropLast().map { $1 == 1 ? 0 : $0 }
            return view.strides[3] == 1 && view.isAligned(strides, to: 8) ? view : try contiguous(view)
        }
        let (queries, keys, values) = (try eights(queries), try eights(keys), try eights(values))
        let y = allocate([pictures, heads, queryCount, valueSize], order: [0, 2, 1, 3])
        let maskStrides =
            mask?.broadcastStrides(to: [pictures, heads, queryCount, keyCount]) ?? [0, 0, 0, 0]
        let strides = [queries, keys, values, y].flatMap { $0.strides.dropLast() } + maskStrides
        call(
            Kernel(
                shader: .cooperativeAttention, isHalf: true,
                constants: matrices.constants(subgroups: tile.subgroups)
                    + [
                        size, valueSize, tile.subgroups, tile.queryMatrices, tile.keys, mask == nil ? 0 : 1,
                    ].map { Int32($0) }),
            [.reads(queries), .reads(keys), .reads(values), .reads(mask ?? .absent), .writes(y)],
            [UInt32(queryCount), UInt32(keyCount), UInt32(heads), scale.bitPattern]
                + strides.map { UInt32($0) },
            Workgroups(
                (queryCount + tile.queries(matrices) - 1) / tile.queries(matrices), pictures * heads),
            products: ProductSizes(
                rows: queryCount, columns: keyCount, depth: size + valueSize, batches: pictures * heads))
        return y
    }
}
