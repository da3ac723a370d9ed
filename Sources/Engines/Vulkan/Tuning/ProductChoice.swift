/// How the results of a workgroup are divided among its subgroups.
struct ProductTile: Hashable, Sendable, Codable {
    let rows, columns: Int
    /// Of each subgroup.
    let ownRows, ownColumns: Int
    /// How many steps of the sum are on their way to the shared memory at one time.
    let stages: Int
    /// The elements of the sum in a step: 16 or 32.
    let depth: Int

    var subgroups: Int { rows / ownRows * (columns / ownColumns) }

    init(_ rows: Int, _ columns: Int, each ownRows: Int, _ ownColumns: Int, stages: Int = 1, depth: Int = 32)
    {
        self.rows = rows
        self.columns = columns
        self.ownRows = ownRows
        self.ownColumns = ownColumns
        self.stages = stages
        self.depth = depth
    }

    /// The workgroups of a product.
    func workgroups(_ shape: ProductShape, parts: Int = 1) -> Workgroups {
        Workgroups(
            (shape.columns + columns - 1) / columns, (shape.rows + rows - 1) / rows, shape.batches * parts)
    }

    /// How many workgroups a product has.
    func count(_ shape: ProductShape) -> Int {
        let workgroups = workgroups(shape)
        return workgroups.x * workgroups.y * workgroups.z
    }

    /// The bytes of two pairs of tiles of factors, or of the subgroups' sums.
    func sharedMemoryByteCount(_ matrices: CooperativeMatrices) -> Int {
        16 * max(2 * (rows + columns) * (depth / 8 + 1), subgroups * matrices.m * (ownColumns / 4 + 1))
    }

    /// Those that are taken where nothing was measured, from the one with the most work for each byte to those that make
    /// many workgroups of a small product.
    static let usual = [
        ProductTile(128, 128, each: 64, 32),
        ProductTile(128, 64, each: 32, 32),
        ProductTile(64, 64, each: 32, 32),
        ProductTile(32, 64, each: 16, 32),
    ]

    /// Those that are measured: columns of networks are multiples of 160 as well as of 128.
    static let all =
        usual + [
            // Of factors that are read from the shared memory often, these read the least.
            ProductTile(256, 160, each: 64, 80, stages: 2, depth: 16),
            ProductTile(256, 128, each: 64, 64, stages: 2, depth: 16),
            ProductTile(128, 256, each: 64, 64, stages: 2, depth: 16),
            ProductTile(192, 160, each: 48, 80, stages: 4, depth: 16),
            ProductTile(128, 160, each: 32, 80, stages: 2),
            ProductTile(128, 160, each: 32, 80, stages: 4),
            ProductTile(64, 160, each: 32, 80, stages: 2),
            ProductTile(128, 128, each: 64, 64),
            ProductTile(128, 32, each: 32, 32),
        ]
}

/// How a product is divided.
struct ProductChoice: Hashable, Sendable, Codable, CustomStringConvertible {
    let tile: ProductTile
    /// Into how many parts its sums are divided, at most.
    let parts: Int

    var description: String {
        "\(tile.rows)×\(tile.columns) by \(tile.ownRows)×\(tile.ownColumns), \(tile.stages) of \(tile.depth)"
            + (parts == 1 ? "" : ", \(parts) parts")
    }
}

extension Tuning {
    private func isFitting(
        _ tile: ProductTile, _ shape: ProductShape, _ matrices: CooperativeMatrices
    ) -> Bool {
        tile.sharedMemoryByteCount(matrices) <= sharedMemoryByteCount
            && tile.subgroups * matrices.subgroupSize <= largestWorkgroup
            && tile.workgroups(shape).fit(mostWorkgroups)
    }

    /// What was measured or is being measured; nil for a product of which nothing is known.
    func chosen(for shape: ProductShape) -> ProductChoice? {
        if let productChoice { return productChoice }
        if let trial, trial.shapes.contains(shape) { return trial.choice }
        return products[shape]
    }

    /// How a product is divided: as was found to be fastest, or as its sizes let one expect.
    func choice(for shape: ProductShape, _ matrices: CooperativeMatrices) -> ProductChoice? {
        let chosen = self.chosen(for: shape)
        if let chosen, isFitting(chosen.tile, shape, matrices) { return chosen }
        let fitting = ProductTile.usual.filter { isFitting($0, shape, matrices) }
        guard let smallest = fitting.last else { return nil }
        let tile =
            fitting.first { shape.rows > $0.rows / 2 && $0.count(shape) >= processors } ?? smallest
        // Each part has enough to do that writing and reading its sums is little beside it.
        let most = shape.depth / 256
        return ProductChoice(tile: tile, parts: max(1, min(most, processors * 2 / max(tile.count(shape), 1))))
    }

    /// What is worth measuring for a product.
    func candidates(for shape: ProductShape, _ matrices: CooperativeMatrices) -> [ProductChoice] {
        if case .attention(let size, let valueSize, let isMasked) = shape.kind {
            let inRegisters = layout != nil && !isMasked
            return attentionTiles(size: size, valueSize: valueSize, inRegisters: inRegisters, matrices)
                .filter { $0.rows <= 64 || shape.rows > 64 }.map { ProductChoice(tile: $0, parts: 1) }
        }
        func isWasteful(_ size: Int, _ tile: Int) -> Bool { tile > 32 && size <= tile / 2 }
        let tiles = ProductTile.all.filter {
            isFitting($0, shape, matrices) && !isWasteful(shape.rows, $0.rows)
                && !isWasteful(shape.columns, $0.columns)
        }
        return tiles.flatMap { tile in
            [1, 2, 4, 8, 16].filter { parts in
                parts == 1
                    || shape.isDivisible && tile.count(shape) * parts <= 4 * processors
                        && shape.depth / parts >= 128
            }.map { ProductChoice(tile: tile, parts: $0) }
        }
    }
}
