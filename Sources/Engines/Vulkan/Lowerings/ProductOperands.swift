import TensorGraph

/// Where the numbers of a product of matrices lie, for each pair of matrices that is multiplied.
struct ProductOperands {
    /// A row is one of all matrices where the right one is the same for all.
    let rows: Int
    let columns: Int
    let depth: Int
    /// From one row of the left factor to the next, and from one element of a sum.
    private let aRow, aInner: Int
    let bColumn, bInner: Int
    let residualRow: Int
    /// Whether a column of the left factor lies in a row of memory.
    let isLeftByColumns: Bool
    /// The axes outside the matrices, and on them the strides of a, of b, of y and of the residual.
    private let outer: MergedAxes
    private let a, b, y: View
    private let residual: View?

    /// - Parameter shape: The product's, before gates are applied.
    init(_ a: View, _ b: View, _ y: View, residual: View?, _ product: MatrixMultiply, shape: [Int]) {
        (self.a, self.b, self.y, self.residual) = (a, b, y, residual)
        let (ownRow, inner) =
            product.transposesLeft
            ? (a.strides[a.rank - 1], a.strides[a.rank - 2])
            : (a.strides[a.rank - 2], a.strides[a.rank - 1])
        aInner = inner
        isLeftByColumns = ownRow == 1 && inner != 1
        (bColumn, bInner) =
            product.transposesRight
            ? (b.strides[b.rank - 2], b.strides[b.rank - 1])
            : (b.strides[b.rank - 1], b.strides[b.rank - 2])
        columns = shape[shape.count - 1]
        depth = product.transposesLeft ? a.shape[a.rank - 2] : a.shape[a.rank - 1]
        var (rows, row) = (shape[shape.count - 2], ownRow)
        var residualRow = residual.map { $0.strides[$0.rank - 2] } ?? 0
        var batches = Array(shape.dropLast(2))
        var strides = [
            a.outerStrides(to: batches), b.outerStrides(to: batches), y.outerStrides(to: batches),
            residual?.outerStrides(to: batches) ?? batches.map { _ in 0 },
        ]
        // Rows of the outer axes are rows as any other where b is the same for all.
        if zip(batches, strides[1]).allSatisfy({ $0 == 1 || $1 == 0 }) {
            var operands = [strides[0] + [row]]
            if residual != nil { operands.append(strides[3] + [residualRow]) }
            let whole = MergedAxes(batches + [rows], order: Array(0...batches.count), operands)
            if whole.sizes.count <= 1 {
                rows = batches.reduce(rows, *)
                row = whole.strides[0].first ?? 0
                if residual != nil { residualRow = whole.strides[1].first ?? 0 }
                (batches, strides) = ([], [[], [], [], []])
            }
        }
        outer = MergedAxes(batches, order: Array(batches.indices), strides)
        self.rows = rows
        aRow = row
        self.residualRow = residualRow
    }

    var isRightByColumns: Bool { bColumn == 1 && bInner != 1 }

    /// How many pairs of matrices one dispatch multiplies: the kernels walk two axes outside the matrices.
    var batchCount: Int { outer.sizes.suffix(2).reduce(1, *) }

    var sums: ProductSizes {
        ProductSizes(rows: rows, columns: columns, depth: depth, batches: batchCount)
    }

    func shape(isGated: Bool) -> ProductShape {
        ProductShape(
            kind: isGated ? .gatedMatrices : .matrices(byColumns: bInner != 1), rows: rows, columns: columns,
            depth: depth, batches: batchCount)
    }

    var readsLeftInFours: Bool {
        aInner == 1 && depth % 4 == 0 && a.isAligned([aRow] + outer.strides[0])
    }

    var readsRightInFours: Bool {
        bInner == 1 && depth % 4 == 0 && b.isAligned([bColumn] + outer.strides[1])
    }

    /// Whether all factors, results and residuals can be read and written eight at a time. What lies behind a row's end may
    /// be no number, of which products with zeros are none either.
    func isInEights(isGated: Bool) -> Bool {
        columns % 8 == 0 && aInner == 1 && (bInner == 1 || bColumn == 1) && residualRow % 8 == 0
            && depth % 8 == 0 && (!isGated || columns % 16 == 0 && bInner == 1)
            && a.isAligned([aRow] + outer.strides[0], to: 8)
            && b.isAligned([bInner == 1 ? bColumn : bInner] + outer.strides[1], to: 8)
            && y.isAligned(outer.strides[2], to: 8)
            && (residual?.isAligned(outer.strides[3], to: 8) ?? true)
    }

    /// What one dispatch multiplies.
    struct Part {
        let a, b, y: View
        let residual: View?
        /// What kernels are told of sizes and strides.
        let numbers: [UInt32]

        func operands(into target: View, _ end: ProductEnd) -> [KernelCall.Operand] {
            [
                .reads(a), .reads(b), .writes(target), .reads(end.bias ?? .absent),
                .reads(residual ?? .absent),
            ]
        }
    }

    /// One for each index of the axes that kernels do not walk.
    var parts: [Part] {
        let apart = max(0, outer.sizes.count - 2)
        let walked = outer.sizes.dropFirst(apart)
        func strides(_ operand: Int) -> [Int] {
            let own = Array(outer.strides[operand].dropFirst(apart))
            return [Int](repeating: 0, count: 2 - own.count) + own
        }
        let numbers =
            [
                rows, columns, depth, aRow, aInner, bColumn, bInner, y.shape[y.rank - 1], residualRow,
                walked.last ?? 1,
            ] + strides(0) + strides(1) + strides(2) + strides(3)
        return Shape(Array(outer.sizes.prefix(apart))).everyIndex.map { index in
            func moved(_ view: View, _ operand: Int) -> View {
                var view = view
                view.offset += zip(index, outer.strides[operand]).reduce(0) { $0 + $1.0 * $1.1 }
                return view
            }
            return Part(
                a: moved(a, 0), b: moved(b, 1), y: moved(y, 2), residual: residual.map { moved($0, 3) },
                numbers: numbers.map { UInt32($0) })
        }
    }
}

extension View {
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
