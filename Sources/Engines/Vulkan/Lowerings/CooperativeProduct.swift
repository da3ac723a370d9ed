import TensorGraph

/// What is added to a product's sums, and what is made of them.
struct ProductEnd {
    let bias: View?
    let pictureBias: View?
    let residual: View?
    let function: Function
    let scale: Float
}

/// How the results of a workgroup are divided among its subgroups.
struct ProductTile: Hashable, Sendable {
    let rows, columns: Int
    /// Of each subgroup.
    let ownRows, ownColumns: Int

    var subgroups: Int { rows / ownRows * (columns / ownColumns) }

    init(_ rows: Int, _ columns: Int, each ownRows: Int, _ ownColumns: Int) {
        self.rows = rows
        self.columns = columns
        self.ownRows = ownRows
        self.ownColumns = ownColumns
    }

    /// The bytes of two pairs of tiles of factors, or of the subgroups' sums.
    func sharedMemoryByteCount(_ matrices: CooperativeMatrices) -> Int {
        16 * max(2 * (rows + columns) * 5, subgroups * matrices.m * (ownColumns / 4 + 1))
    }

    /// From the one with the most work for each byte to those that make many workgroups of a small product.
    static let all = [
        ProductTile(128, 128, each: 64, 32),
        ProductTile(128, 64, each: 32, 32),
        ProductTile(64, 64, each: 32, 32),
        ProductTile(32, 64, each: 16, 32),
    ]
}

/// How a product is divided.
struct ProductChoice: Hashable, Sendable {
    let tile: ProductTile
    /// Into how many parts its sums are divided, at most.
    let parts: Int
}

/// A product by matrices that subgroups hold together.
struct CooperativeProduct {
    /// The elements of a sum that are in the shared memory at one time.
    static let depth = 32

    let rows, columns: Int
    let tile: ProductTile
    /// Into how many parts sums are divided.
    let parts: Int
    /// The elements of a sum that are a part's.
    let partDepth: Int
    private let matrices: CooperativeMatrices

    /// - Parameter isHalf: Whether the numbers are of 16 bits and lie in eights.
    /// - Returns: nil where the product is computed without.
    init?(rows: Int, columns: Int, depth: Int, batches: Int, _ tuning: Tuning, isHalf: Bool) {
        guard isHalf, let matrices = tuning.matrices, columns % 8 == 0, rows > 0, depth > 0 else {
            return nil
        }
        self.rows = rows
        self.columns = columns
        self.matrices = matrices
        let fitting = ProductTile.all.filter {
            $0.sharedMemoryByteCount(matrices) <= tuning.sharedMemoryByteCount
                && $0.subgroups * matrices.subgroupSize <= tuning.largestWorkgroup
        }
        guard let smallest = fitting.last else { return nil }
        func count(_ tile: ProductTile) -> Int {
            (rows + tile.rows - 1) / tile.rows * ((columns + tile.columns - 1) / tile.columns) * batches
        }
        let wanted = tuning.processors
        let steps = (depth + Self.depth - 1) / Self.depth
        let choice: ProductChoice
        if let chosen = tuning.productChoice, fitting.contains(chosen.tile) {
            choice = chosen
        } else {
            let tile = fitting.first { rows > $0.rows / 2 && count($0) >= wanted } ?? smallest
            // Each part has enough to do that writing and reading its sums is little beside it.
            choice = ProductChoice(
                tile: tile, parts: max(1, min(steps / 8, wanted * 2 / max(count(tile), 1))))
        }
        tile = choice.tile
        let most = batches == 1 ? min(choice.parts, steps) : 1
        let partSteps = (steps + most - 1) / most
        partDepth = partSteps * Self.depth
        parts = (steps + partSteps - 1) / partSteps
    }

    func kernel(_ shader: Kernel.Shader, _ end: ProductEnd, _ own: [Int32]) -> Kernel {
        // What is added to sums in parts is added elsewhere.
        let isWhole = parts == 1
        return Kernel(
            shader: shader, isHalf: true,
            constants: matrices.constants(subgroups: tile.subgroups)
                + [
                    Int32(tile.rows), Int32(tile.columns), Int32(tile.ownRows), Int32(tile.ownColumns),
                    isWhole && end.bias != nil ? 1 : 0, isWhole && end.residual != nil ? 1 : 0,
                    isWhole ? end.function.rawValue : 0, Int32(parts),
                ] + own)
    }

    func workgroups(batches: Int) -> Workgroups {
        Workgroups(
            (columns + tile.columns - 1) / tile.columns, (rows + tile.rows - 1) / tile.rows, batches * parts)
    }
}

extension CooperativeMatrices {
    /// The first constants of the shaders that include `cooperative.glsl`.
    func constants(subgroups: Int) -> [Int32] {
        [Int32(subgroups * subgroupSize), Int32(m), Int32(n), Int32(k)]
    }
}

extension Lowering {
    /// y = f(scale · Σ parts + …), where places in memory are those of pictures' first elements and of pixels'.
    mutating func add(
        _ parts: Int, of sums: View, to y: View, at place: (picture: Int, pixel: Int),
        residualAt residualPlace: (picture: Int, pixel: Int), rows: Int, columns: Int, pixels: Int,
        _ end: ProductEnd
    ) {
        let width = 256
        call(
            Kernel(
                shader: .productParts, isHalf: true,
                constants: [
                    Int32(width), 16, 16, 16, end.bias == nil ? 0 : 1, end.pictureBias == nil ? 0 : 1,
                    end.residual == nil ? 0 : 1, end.function.rawValue, Int32(parts),
                ]),
            [
                .reads(sums), .writes(y), .reads(end.bias ?? .absent), .reads(end.pictureBias ?? .absent),
                .reads(end.residual ?? .absent),
            ],
            [
                rows, columns, pixels, place.picture, place.pixel, residualPlace.picture, residualPlace.pixel,
                end.pictureBias?.strides[0] ?? 0,
            ].map { UInt32($0) } + [end.scale.bitPattern],
            Workgroups(invocations: rows * columns / 8, each: width))
    }
}
