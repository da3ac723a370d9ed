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
        let resultColumns = isGated ? n / 2 : n
        let y = allocate(shape.dropLast() + [resultColumns])
        let outer = Array(shape.dropLast(2))
        let (aRow, aInner) =
            product.transposesLeft
            ? (a.strides[a.rank - 1], a.strides[a.rank - 2])
            : (a.strides[a.rank - 2], a.strides[a.rank - 1])
        let (bColumn, bInner) =
            product.transposesRight
            ? (b.strides[b.rank - 2], b.strides[b.rank - 1])
            : (b.strides[b.rank - 1], b.strides[b.rank - 2])
        let k = product.transposesLeft ? a.shape[a.rank - 2] : a.shape[a.rank - 1]
        let residual = try residual.map { n == 1 || $0.strides[$0.rank - 1] == 1 ? $0 : try contiguous($0) }
        let bias = try bias.map { try columns($0, axis: $0.rank - 1) }
        // Rows of the outer axes are rows as any other where b is the same for all.
        let m = shape[shape.count - 2]
        var (rows, rowStride) = (m, aRow)
        var residualRow = residual.map { $0.strides[$0.rank - 2] } ?? 0
        var batches = outer
        var batchStrides = [
            a.outerStrides(to: outer), b.outerStrides(to: outer), y.outerStrides(to: outer),
            residual?.outerStrides(to: outer) ?? outer.map { _ in 0 },
        ]
        if zip(outer, batchStrides[1]).allSatisfy({ $0 == 1 || $1 == 0 }) {
            var operands = [batchStrides[0] + [aRow]]
            if residual != nil { operands.append(batchStrides[3] + [residualRow]) }
            let whole = MergedAxes(outer + [m], order: Array(0...outer.count), operands)
            if whole.sizes.count <= 1 {
                rows = outer.reduce(m, *)
                rowStride = whole.strides[0].first ?? 0
                if residual != nil { residualRow = whole.strides[1].first ?? 0 }
                (batches, batchStrides) = ([], [[], [], [], []])
            }
        }
        let axes = MergedAxes(batches, order: Array(batches.indices), batchStrides)
        let batchCount = axes.sizes.suffix(2).reduce(1, *)
        let sums = ProductSizes(rows: rows, columns: n, depth: k, batches: batchCount)
        let matrices = CooperativeProduct(
            ProductShape(
                kind: isGated ? .gatedMatrices : .matrices(byColumns: bInner != 1), rows: rows, columns: n,
                depth: k, batches: batchCount
            ),
            tuning,
            isFitting: isHalf && n % 8 == 0 && aInner == 1 && (bInner == 1 || bColumn == 1)
                && residualRow % 8 == 0
                && (k % 8 == 0 || bInner != 1) && (!isGated || n % 16 == 0 && bInner == 1)
                && a.isAligned([rowStride] + axes.strides[0], to: 8)
                && b.isAligned([bInner == 1 ? bColumn : bInner] + axes.strides[1], to: 8)
                && y.isAligned(axes.strides[2], to: 8)
                && (residual?.isAligned(axes.strides[3], to: 8) ?? true)
                && (bias?.isAligned([], to: 8) ?? true))
        if isGated, matrices == nil {
            let product = try multiply(a, b, product, shape: shape, bias: bias, scale: scale)
            return try gatedGELU(product)
        }
        let tile = tile(rows: rows, columns: n)
        let aVector = aInner == 1 && k % 4 == 0 && a.isAligned([rowStride] + axes.strides[0])
        let bVector = bInner == 1 && k % 4 == 0 && b.isAligned([bColumn] + axes.strides[1])
        let end = ProductEnd(
            bias: bias, pictureBias: nil, residual: residual, function: function, scale: scale)
        let kernel =
            matrices?.kernel(.cooperativeMatrixMultiply, end, [bInner == 1 ? 0 : 1, isGated ? 1 : 0])
            ?? Kernel(
                shader: .matrixMultiply, isHalf: isHalf,
                constants: [
                    tile.rows, tile.columns, aVector ? 1 : 0, bVector ? 1 : 0, bias == nil ? 0 : 1,
                    residual == nil ? 0 : 1, function.rawValue, aRow == 1 && aInner != 1 ? 1 : 0,
                    bColumn == 1 && bInner != 1 ? 1 : 0,
                ])
        // The kernel walks two axes outside the matrices; of the others, each index has a call of its own.
        let walked = max(0, axes.sizes.count - 2)
        for index in Shape(Array(axes.sizes.prefix(walked))).everyIndex {
            func moved(_ view: View, _ operand: Int) -> View {
                var view = view
                view.offset += zip(index, axes.strides[operand]).reduce(0) { $0 + $1.0 * $1.1 }
                return view
            }
            let sizes = axes.sizes.dropFirst(walked)
            func strides(_ operand: Int) -> [Int] {
                let own = Array(axes.strides[operand].dropFirst(walked))
                return [Int](repeating: 0, count: 2 - own.count) + own
            }
            let numbers =
                [
                    rows, n, k, rowStride, aInner, bColumn, bInner, resultColumns,
                    residualRow, sizes.last ?? 1,
                ] + strides(0) + strides(1) + strides(2) + strides(3)
            if let matrices {
                let target = matrices.parts > 1 ? allocate([matrices.parts, rows, n], .wide) : moved(y, 2)
                call(
                    kernel,
                    [
                        .reads(moved(a, 0)), .reads(moved(b, 1)), .writes(target), .reads(bias ?? .absent),
                        .reads(residual.map { moved($0, 3) } ?? .absent),
                    ], numbers.map { UInt32($0) } + [scale.bitPattern, UInt32(matrices.partDepth)],
                    matrices.workgroups, products: sums, division: matrices.division)
                if matrices.parts > 1 {
                    add(
                        partsOf: matrices, target, to: moved(y, 2), at: (0, n),
                        residualAt: (0, residualRow), pixels: rows, end)
                }
                continue
            }
            call(
                kernel,
                [
                    .reads(moved(a, 0)), .reads(moved(b, 1)), .writes(moved(y, 2)), .reads(bias ?? .absent),
                    .reads(residual.map { moved($0, 3) } ?? .absent),
                ], numbers.map { UInt32($0) } + [scale.bitPattern],
                Workgroups(
                    (n + Int(tile.columns) - 1) / Int(tile.columns),
                    (rows + Int(tile.rows) - 1) / Int(tile.rows), batchCount), products: sums)
        }
        return y
    }

    /// y[n, o, i, j] = f(Σ x[n, c, …] k[o, c, …] + bias[o] + pictureBias[n, o] + residual[n, o, i, j])
    mutating func convolve(
        _ x: View, _ kernel: View, _ convolution: Convolution, enlargement: Int, shape: [Int],
        bias: View? = nil, pictureBias: View? = nil, residual: View? = nil, _ function: Function = .identity
    ) throws -> View {
        let x = x.channelsLast == nil ? try dense(x, order: Self.channelsLast) : x
        let residual = try residual.map {
            $0.channelsLast == nil ? try dense($0, order: Self.channelsLast) : $0
        }
        let bias = try bias.map { try columns($0, axis: $0.rank - 3) }
        let pictureBias = try pictureBias.map {
            $0.shape[1] == 1 || $0.strides[1] == 1 ? $0 : try contiguous($0)
        }
        let y = allocate(shape, order: Self.channelsLast)
        guard let from = x.channelsLast, let to = y.channelsLast else {
            preconditionFailure("pictures have their channels last")
        }
        let beside = residual?.channelsLast ?? (0, 0)
        let (channels, outputs) = (kernel.shape[1], kernel.shape[0] / convolution.groups)
        let pixels = shape[0] * shape[2] * shape[3]
        let numbers = [
            pixels, channels, outputs, x.shape[2], x.shape[3], shape[2], shape[3], from.picture,
            from.pixel, to.picture, to.pixel, beside.picture, beside.pixel, pictureBias?.strides[0] ?? 0,
        ].map { UInt32($0) }
        let sums = ProductSizes(
            rows: pixels, columns: outputs, depth: kernel.shape.dropFirst().reduce(1, *),
            batches: convolution.groups)
        let window = [
            kernel.shape[2], kernel.shape[3], convolution.stride, convolution.padding.top,
            convolution.padding.left, enlargement, pictureBias == nil ? 0 : 1,
        ].map { Int32($0) }
        let isRagged = outputs % 8 != 0
        let matrices = CooperativeProduct(
            ProductShape(
                kind: .convolution(
                    height: kernel.shape[2], width: kernel.shape[3], stride: convolution.stride,
                    enlargement: enlargement),
                rows: pixels, columns: outputs, depth: channels * kernel.shape[2] * kernel.shape[3],
                batches: convolution.groups), tuning,
            isFitting: isHalf && channels % 8 == 0
                && (!isRagged || convolution.groups == 1 && residual == nil && pictureBias == nil)
                && x.isAligned([from.picture, from.pixel], to: 8)
                && kernel.isAligned([], to: 8)
                && (residual?.isAligned([beside.picture, beside.pixel], to: 8) ?? true)
                && (bias?.isAligned([], to: 8) ?? true)
                && (pictureBias?.isAligned([shape[0] > 1 ? pictureBias?.strides[0] ?? 0 : 0], to: 8) ?? true))
        if let matrices {
            let end = ProductEnd(
                bias: bias, pictureBias: pictureBias, residual: residual, function: function, scale: 1)
            let target = matrices.parts > 1 ? allocate([matrices.parts, pixels, outputs], .wide) : y
            call(
                matrices.kernel(.cooperativeConvolution, end, window + [isRagged ? 1 : 0]),
                [
                    .reads(x), .reads(kernel), .writes(target), .reads(bias ?? .absent),
                    .reads(pictureBias ?? .absent), .reads(residual ?? .absent),
                ], numbers + [UInt32(matrices.partDepth)],
                matrices.workgroups, products: sums, division: matrices.division)
            if matrices.parts > 1 {
                add(
                    partsOf: matrices, target, to: y, at: (to.picture, to.pixel),
                    residualAt: (beside.picture, beside.pixel), pixels: shape[2] * shape[3], end)
            }
            return y
        }
        let tile = tile(rows: pixels, columns: outputs)
        let isVector = channels % 4 == 0
        call(
            Kernel(
                shader: .convolution, isHalf: isHalf,
                constants: [
                    tile.rows, tile.columns, isVector && x.isAligned([from.picture, from.pixel]) ? 1 : 0,
                    isVector && kernel.isAligned([]) ? 1 : 0, bias == nil ? 0 : 1, residual == nil ? 0 : 1,
                    function.rawValue,
                ] + window),
            [
                .reads(x), .reads(kernel), .writes(y), .reads(bias ?? .absent),
                .reads(pictureBias ?? .absent), .reads(residual ?? .absent),
            ],
            numbers,
            Workgroups(
                (outputs + Int(tile.columns) - 1) / Int(tile.columns),
                (pixels + Int(tile.rows) - 1) / Int(tile.rows), convolution.groups),
            products: sums)
        return y
    }

    /// A number a column, one after the other.
    private mutating func columns(_ view: View, axis: Int) throws -> View {
        view.shape[axis] == 1 || view.strides[axis] == 1 ? view : try contiguous(view)
    }

    /// How many results a workgroup has: fewer where there would be too few workgroups.
    private func tile(rows: Int, columns: Int) -> (rows: Int32, columns: Int32) {
        func size(_ length: Int) -> Int { length > 48 ? 64 : length > 24 ? 32 : 16 }
        let whole = (rows + 127) / 128 * ((columns + 127) / 128)
        if tuning.largestTile >= 128, rows >= 128, columns >= 128, whole >= tuning.fewestTiles {
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

    /// Strides of the axes outside the two innermost, broadcast to those of a product.
    fileprivate func outerStrides(to outer: [Int]) -> [Int] {
        var view = self
        view.shape.removeLast(2)
        view.strides.removeLast(2)
        return view.broadcastStrides(to: outer)
    }
}

extension Shape {
    /// Every index of the shape, in row-major order; a scalar has one, without axes.
    fileprivate var everyIndex: [[Int]] {
        dimensions.reduce([[]]) { indices, size in
            indices.flatMap { index in (0..<size).map { index + [$0] } }
        }
    }
}
