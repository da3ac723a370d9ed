import TensorGraph

extension ProductTile {
    /// Of attention: queries by keys, of which a subgroup has all those in the shared memory.
    static let attention = [
        ProductTile(64, 64, each: 16, 64),
        ProductTile(128, 64, each: 32, 64),
        ProductTile(128, 64, each: 16, 64),
        ProductTile(64, 32, each: 16, 32),
        ProductTile(128, 32, each: 32, 32),
        ProductTile(64, 16, each: 16, 16),
        ProductTile(128, 128, each: 16, 128),
    ]
}

extension Tuning {
    /// Whether a workgroup can have that tile, with scores in registers or in the shared memory.
    fileprivate func isFitting(
        _ tile: ProductTile, size: Int, valueSize: Int, inRegisters: Bool, _ matrices: CooperativeMatrices
    ) -> Bool {
        func stride(_ size: Int, _ multiple: Int) -> Int {
            (size + multiple - 1) / multiple * multiple / 8 + 1
        }
        let (own, value) = (stride(size, matrices.k), stride(valueSize, matrices.n))
        let tiles = max(tile.columns * (own + value), tile.rows * own)
        let scores = tile.subgroups * matrices.m * (tile.columns / 4 + 1) + tile.subgroups * matrices.m / 4
        let lanes = matrices.subgroupSize / matrices.m
        // Numbers that an invocation keeps: sums, queries and scores.
        let kept = tile.ownRows * (max(size, valueSize) * 3 / 2 + tile.columns) / matrices.subgroupSize
        return 16 * (tiles + (inRegisters ? 0 : scores)) <= sharedMemoryByteCount
            && tile.subgroups * matrices.subgroupSize <= largestWorkgroup && tile.columns % (4 * lanes) == 0
            && tile.columns % matrices.n == 0 && tile.columns % matrices.k == 0
            && tile.ownRows % matrices.m == 0
            && (kept <= 200 || tile.ownRows == matrices.m && tile.columns <= 32)
    }

    /// The tiles that a workgroup of attention can have, the one that is taken where nothing was measured first.
    func attentionTiles(
        size: Int, valueSize: Int, inRegisters: Bool, _ matrices: CooperativeMatrices
    ) -> [ProductTile] {
        // Compilers take minutes for many of the small matrices that software has.
        let known = matrices.m < 16 ? [ProductTile(32, 16, each: 8, 16)] : ProductTile.attention
        return known.filter {
            isFitting($0, size: size, valueSize: valueSize, inRegisters: inRegisters, matrices)
        }
    }
}

extension Lowering {
    /// Attention by matrices that subgroups hold together; nil where the device or the shapes do not permit it.
    mutating func attendCooperatively(
        _ queries: View, _ keys: View, _ values: View, _ mask: View?, _ scale: Float
    ) throws -> View? {
        let (size, valueSize) = (queries.shape[3], values.shape[3])
        let (pictures, heads, queryCount, keyCount) = (
            queries.shape[0], queries.shape[1], queries.shape[2], keys.shape[2]
        )
        guard isHalf, let matrices = tuning.matrices, size % 8 == 0, valueSize % 8 == 0,
            max(size, valueSize) <= 256, keyCount > 0
        else { return nil }
        let layout = mask == nil ? tuning.layout : nil
        let tiles = tuning.attentionTiles(
            size: size, valueSize: valueSize, inRegisters: layout != nil, matrices)
        let shape = ProductShape(
            kind: .attention(size: size, valueSize: valueSize, isMasked: mask != nil), rows: queryCount,
            columns: keyCount, depth: size, batches: pictures * heads)
        let chosen = tuning.chosen(for: shape)?.tile
        guard let tile = chosen.flatMap({ tiles.contains($0) ? $0 : nil }) ?? tiles.first else { return nil }
        func eights(_ view: View) throws -> View {
            let strides = zip(view.strides, view.shape).dropLast().map { $1 == 1 ? 0 : $0 }
            return view.strides[3] == 1 && view.isAligned(strides, to: 8) ? view : try contiguous(view)
        }
        let (queries, keys, values) = (try eights(queries), try eights(keys), try eights(values))
        let y = allocate([pictures, heads, queryCount, valueSize], order: [0, 2, 1, 3])
        var constants = [size, valueSize, tile.subgroups, tile.ownRows / matrices.m, tile.columns]
            .map { Int32($0) }
        var strides = [queries, keys, values, y].flatMap { $0.strides.dropLast() }
        if let layout {
            constants += [layout.lower, layout.righter]
        } else {
            constants.append(mask == nil ? 0 : 1)
            strides +=
                mask?.broadcastStrides(to: [pictures, heads, queryCount, keyCount]) ?? [0, 0, 0, 0]
        }
        call(
            matrices.kernel(
                layout == nil ? .cooperativeAttention : .registerAttention, subgroups: tile.subgroups,
                constants),
            [.reads(queries), .reads(keys), .reads(values), .reads(mask ?? .absent), .writes(y)],
            [UInt32(queryCount), UInt32(keyCount), UInt32(heads), scale.bitPattern]
                + strides.map { UInt32($0) },
            Workgroups((queryCount + tile.rows - 1) / tile.rows, pictures * heads),
            products: ProductSizes(
                rows: queryCount, columns: keyCount, depth: size + valueSize, batches: pictures * heads),
            division: tiles.count > 1
                ? ProductDivision(shape: shape, choice: ProductChoice(tile: tile, parts: 1)) : nil)
        return y
    }
}
