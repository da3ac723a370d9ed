import TensorGraph

/// What is added to a product's sums, and what is made of them.
struct ProductEnd {
    let bias: View?
    let pictureBias: View?
    let residual: View?
    let function: Function
    let scale: Float
}

/// What the time of a product depends on.
struct ProductShape: Hashable, Sendable, Codable {
    enum Kind: Hashable, Sendable, Codable {
        /// Of rows by rows, or of rows by columns.
        case matrices(byColumns: Bool)
        /// Of rows by rows, where one half of the columns are gates of the other.
        case gatedMatrices
        case convolution(height: Int, width: Int, stride: Int, enlargement: Int)
        /// Queries by keys, with heads of these sizes.
        case attention(size: Int, valueSize: Int, isMasked: Bool)
    }

    let kind: Kind
    let rows, columns, depth, batches: Int

    var isAttention: Bool {
        if case .attention = kind { true } else { false }
    }

    /// Whether sums can be in parts.
    var isDivisible: Bool { batches == 1 && columns % 8 == 0 && kind != .gatedMatrices }
}

/// A product by matrices that subgroups hold together.
struct CooperativeProduct {
    let shape: ProductShape
    let choice: ProductChoice
    /// Into how many parts sums are divided.
    let parts: Int
    /// The elements of a sum that are a part's.
    let partDepth: Int
    private let matrices: CooperativeMatrices

    /// - Parameter isFitting: Whether the numbers are of 16 bits and lie in eights.
    /// - Returns: nil where the product is computed without.
    init?(_ shape: ProductShape, _ tuning: Tuning, isFitting: Bool) {
        guard isFitting, let matrices = tuning.matrices, shape.rows > 0,
            shape.depth > 0,
            let choice = tuning.choice(for: shape, matrices)
        else { return nil }
        self.shape = shape
        self.matrices = matrices
        self.choice = choice
        let depth = choice.tile.depth
        let steps = (shape.depth + depth - 1) / depth
        let most = shape.isDivisible ? min(choice.parts, steps) : 1
        let partSteps = (steps + most - 1) / most
        partDepth = partSteps * depth
        parts = (steps + partSteps - 1) / partSteps
    }

    func kernel(_ shader: Kernel.Shader, _ end: ProductEnd, _ own: [Int32]) -> Kernel {
        // What is added to sums in parts is added elsewhere.
        let isWhole = parts == 1
        let tile = choice.tile
        return matrices.kernel(
            shader, subgroups: tile.subgroups,
            [
                Int32(tile.rows), Int32(tile.columns), Int32(tile.ownRows), Int32(tile.ownColumns),
                isWhole && end.bias != nil ? 1 : 0, isWhole && end.residual != nil ? 1 : 0,
                isWhole ? end.function.rawValue : 0, isWhole ? 0 : 1, Int32(tile.stages),
                Int32(tile.depth),
            ] + own)
    }

    var workgroups: Workgroups { choice.tile.workgroups(shape, parts: parts) }

    /// What a call is told for its time to be measured.
    var division: ProductDivision { ProductDivision(shape: shape, choice: choice) }
}

extension CooperativeMatrices {
    /// A shader that includes `cooperative.glsl`, with the constants that follow those of it.
    func kernel(_ shader: Kernel.Shader, subgroups: Int, _ constants: [Int32] = []) -> Kernel {
        Kernel(
            shader: shader, isHalf: true,
            constants: [Int32(subgroups * subgroupSize), Int32(m), Int32(n), Int32(k)] + constants,
            requiredSubgroupSize: subgroup.isRequired ? subgroupSize : nil)
    }
}

extension Lowering {
    /// y = f(scale · Σ parts + …), where places in memory are those of pictures' first elements and of pixels'.
    mutating func add(
        partsOf product: CooperativeProduct, _ sums: View, to y: View, at place: (picture: Int, pixel: Int),
        residualAt residualPlace: (picture: Int, pixel: Int), pixels: Int, _ end: ProductEnd
    ) {
        let width = 256
        let (rows, columns) = (product.shape.rows, product.shape.columns)
        call(
            Kernel(
                shader: .productParts, isHalf: true,
                constants: [
                    Int32(width), 16, 16, 16, end.bias == nil ? 0 : 1, end.pictureBias == nil ? 0 : 1,
                    end.residual == nil ? 0 : 1, end.function.rawValue,
                ]),
            [
                .reads(sums), .writes(y), .reads(end.bias ?? .absent), .reads(end.pictureBias ?? .absent),
                .reads(end.residual ?? .absent),
            ],
            [
                product.parts, rows, columns, pixels, place.picture, place.pixel, residualPlace.picture,
                residualPlace.pixel, end.pictureBias?.strides[0] ?? 0,
            ].map { UInt32($0) } + [end.scale.bitPattern],
            Workgroups(invocations: rows * columns / 8, each: width), division: product.division)
    }
}
