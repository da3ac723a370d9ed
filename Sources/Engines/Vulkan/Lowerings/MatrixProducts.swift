import TensorGraph

extension Lowering {
    /// y[…, i, j] = f(scale · Σₖ a[…, i, k] b[…, k, j] + bias[j] + residual[…, i, j])
    ///
    /// - Parameter isGated: Whether what is returned is y[…, i, j] · GELU(y[…, i, J + j]), half as wide.
    mutating func multiply(
        _ a: View, _ b: View, _ product: MatrixMultiply, shape: [Int], bias: View? = nil,
        residual: View? = nil, _ function: Function = .identity, scale: Float = 1, isGated: Bool = false
    ) throws -> View {
        let n = shape[shape.count - 1]
        let y = allocate(shape.dropLast() + [isGated ? n / 2 : n])
        let residual = try residual.map { n == 1 || $0.strides[$0.rank - 1] == 1 ? $0 : try contiguous($0) }
        let bias = try bias.map { try columns($0, axis: $0.rank - 1) }
        let end = ProductEnd(
            bias: bias, pictureBias: nil, residual: residual, function: function, scale: scale)
        let operands = ProductOperands(a, b, y, residual: residual, product, shape: shape)
        let matrices = CooperativeProduct(
            operands.shape(isGated: isGated), tuning,
            isFitting: isHalf && operands.isInEights(isGated: isGated)
                && (bias?.isAligned([], to: 8) ?? true))
        if isGated, matrices == nil {
            let product = try multiply(a, b, product, shape: shape, bias: bias, scale: scale)
            return try gatedGELU(product)
        }
        for part in operands.parts {
            if let matrices {
                multiply(part, operands, matrices, isGated: isGated, end)
            } else {
                multiply(part, operands, end)
            }
        }
        return y
    }

    /// One dispatch by matrices that subgroups hold together, and one that adds up its sums where they are in parts.
    private mutating func multiply(
        _ part: ProductOperands.Part, _ operands: ProductOperands, _ matrices: CooperativeProduct,
        isGated: Bool, _ end: ProductEnd
    ) {
        let isDivided = matrices.parts > 1
        let target =
            isDivided ? allocate([matrices.parts, operands.rows, operands.columns], .wide) : part.y
        call(
            matrices.kernel(
                .cooperativeMatrixMultiply, end, [operands.bInner == 1 ? 0 : 1, isGated ? 1 : 0]),
            part.operands(into: target, end),
            part.numbers + [end.scale.bitPattern, UInt32(matrices.partDepth)], matrices.workgroups,
            products: operands.sums, division: matrices.division)
        if isDivided {
            add(
                partsOf: matrices, target, to: part.y, at: (0, operands.columns),
                residualAt: (0, operands.residualRow), pixels: operands.rows, end)
        }
    }

    /// One dispatch by tiles in memory that a workgroup shares.
    private mutating func multiply(
        _ part: ProductOperands.Part, _ operands: ProductOperands, _ end: ProductEnd
    ) {
        let tile = tile(rows: operands.rows, columns: operands.columns)
        let (workgroups, isFolded) = workgroups(
            rows: operands.rows, columns: operands.columns, batches: operands.batchCount, tile)
        call(
            Kernel(
                shader: .matrixMultiply, isHalf: isHalf,
                constants: [
                    tile.rows, tile.columns, operands.readsLeftInFours ? 1 : 0,
                    operands.readsRightInFours ? 1 : 0, end.bias == nil ? 0 : 1, end.residual == nil ? 0 : 1,
                    end.function.rawValue, isFolded ? 1 : 0, operands.isLeftByColumns ? 1 : 0,
                    operands.isRightByColumns ? 1 : 0,
                ]),
            part.operands(into: part.y, end), part.numbers + [end.scale.bitPattern], workgroups,
            products: operands.sums)
    }

    /// A number a column, one after the other.
    mutating func columns(_ view: View, axis: Int) throws -> View {
        view.shape[axis] == 1 || view.strides[axis] == 1 ? view : try contiguous(view)
    }

    /// The workgroups that have a tile of results each, and whether they are folded: rows beside each other, where there are
    /// more than the device has on one axis.
    func workgroups(
        rows: Int, columns: Int, batches: Int, _ tile: (rows: Int32, columns: Int32)
    ) -> (workgroups: Workgroups, isFolded: Bool) {
        let whole = Workgroups(
            (columns + Int(tile.columns) - 1) / Int(tile.columns),
            (rows + Int(tile.rows) - 1) / Int(tile.rows), batches)
        let folded = whole.foldingRows(tuning.mostWorkgroups)
        return (folded, folded != whole)
    }

    /// How many results a workgroup has: fewer where there would be too few workgroups.
    func tile(rows: Int, columns: Int) -> (rows: Int32, columns: Int32) {
        func size(_ length: Int) -> Int { length > 48 ? 64 : length > 24 ? 32 : 16 }
        let whole = (rows + 127) / 128 * ((columns + 127) / 128)
        // Two tiles of factors, whose rows have a place more than numbers, as product.glsl has them.
        let sharedByteCount = 2 * 16 * (128 + 1) * 4
        if tuning.largestTile >= 128, sharedByteCount <= tuning.sharedMemoryByteCount, rows >= 128,
            columns >= 128, whole >= tuning.fewestTiles
        {
            return (128, 128)
        }
        return (Int32(min(size(rows), tuning.largestTile)), Int32(min(size(columns), tuning.largestTile)))
    }
}

extension View {
    /// Whether so many elements can be read at once wherever multiples of these strides lead.
    func isAligned(_ strides: [Int], to count: Int = 4) -> Bool {
        offset % count == 0 && strides.allSatisfy { $0 % count == 0 }
    }
}
