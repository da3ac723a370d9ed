import CArithmetic
import TensorGraph

/// A change of one weight that an adapter makes: small matrices, from which the change follows.
///
/// A weight is taken as a matrix `[outputs, inputs]`, with a convolution's inputs and kernel as its columns.
struct AdapterUpdate: Sendable {
    enum Form: Sendable {
        /// B·A (Hu et al., "LoRA", 2021).
        case lowRank(up: Matrix, down: Matrix)
        /// (B₁·A₁) ∘ (B₂·A₂), element by element (Hyeon-Woo et al., "FedPara", 2022; LyCORIS' LoHa).
        case hadamard(up1: Matrix, down1: Matrix, up2: Matrix, down2: Matrix)
        /// W₁ ⊗ W₂ (LyCORIS' LoKr). The second matrix's columns are inputs times the kernel's cells.
        case kronecker(first: Matrix, second: Matrix, kernel: Int)
        /// The change itself.
        case whole([Float])

        var isWhole: Bool { if case .whole = self { true } else { false } }
    }

    /// How long the changed weight's rows or columns are (DoRA; Liu et al. 2024, arXiv 2402.09353).
    struct Magnitude: Sendable {
        let lengths: [Float]
        /// Whether there is one for each output, as in PEFT; else there is one for each input, as in the first paper.
        let isOfOutputs: Bool
    }

    var form: Form
    /// What the change is multiplied by: alpha over the rank.
    var scale: Float = 1
    var magnitude: Magnitude?

    /// Whether the change of some rows does not take the others.
    var changesRowsAlone: Bool { if case .lowRank = form { magnitude == nil } else { false } }

    /// Adds the change, so many times, to rows of a weight: all, but where each is changed for itself.
    func add(to weight: UnsafeMutableBufferPointer<Float>, rows: Range<Int>, strength: Float) {
        if case .lowRank(let up, let down) = form, magnitude == nil {
            return up.addProduct(of: rows, with: down, times: scale * strength, to: weight)
        }
        add(to: weight, rows: rows.count, strength: strength)
    }

    /// Adds the change, so many times, to a weight of that many rows.
    private func add(to weight: UnsafeMutableBufferPointer<Float>, rows: Int, strength: Float) {
        guard let magnitude else { return add(to: weight, rows: rows, factor: scale * strength) }
        // The weight that the adapter was trained to make, of which the strength is a share.
        var changed = Array(weight)
        changed.withUnsafeMutableBufferPointer { changed in
            add(to: changed, rows: rows, factor: scale)
            let columns = changed.count / rows
            let (lengths, isOfOutputs) = (magnitude.lengths, magnitude.isOfOutputs)
            let kernel = isOfOutputs ? 1 : columns / lengths.count
            func group(_ index: Int) -> Int { isOfOutputs ? index / columns : index % columns / kernel }
            var squares = [Float](repeating: 0, count: lengths.count)
            for index in changed.indices { squares[group(index)] += changed[index] * changed[index] }
            let factors = zip(lengths, squares).map { $1 > 0 ? $0 / $1.squareRoot() : 0 }
            for index in changed.indices {
                weight[index] += strength * (changed[index] * factors[group(index)] - weight[index])
            }
        }
    }

    private func add(to weight: UnsafeMutableBufferPointer<Float>, rows: Int, factor: Float) {
        let columns = weight.count / rows
        switch form {
        case .lowRank(let up, let down):
            up.addProduct(with: down, times: factor, to: weight)
        case .hadamard(let up1, let down1, let up2, let down2):
            var (first, second) = (
                [Float](repeating: 0, count: columns), [Float](repeating: 0, count: columns)
            )
            for row in 0..<rows {
                for column in 0..<columns { (first[column], second[column]) = (0, 0) }
                first.withUnsafeMutableBufferPointer {
                    up1.row(row).addProduct(with: down1, times: 1, to: $0)
                }
                second.withUnsafeMutableBufferPointer {
                    up2.row(row).addProduct(with: down2, times: 1, to: $0)
                }
                for column in 0..<columns {
                    weight[row * columns + column] += factor * first[column] * second[column]
                }
            }
        case .kronecker(let first, let second, let kernel):
            let inner = second.columns / kernel
            for row in 0..<rows {
                let (row1, row2) = (row / second.rows, row % second.rows)
                for column in 0..<columns {
                    let (input, cell) = (column / kernel, column % kernel)
                    let left = first.values[row1 * first.columns + input / inner]
                    let right = second.values[row2 * second.columns + input % inner * kernel + cell]
                    weight[row * columns + column] += factor * left * right
                }
            }
        case .whole(let values):
            for index in weight.indices { weight[index] += factor * values[index] }
        }
    }

    /// How many rows and columns the weight has that this changes; `Int.max` where they are beyond it.
    var shape: (rows: Int, columns: Int) {
        switch form {
        case .lowRank(let up, let down): (up.rows, down.columns)
        case .hadamard(let up, let down, _, _): (up.rows, down.columns)
        case .kronecker(let first, let second, _):
            (product(first.rows, second.rows), product(first.columns, second.columns))
        case .whole(let values): (1, values.count)
        }
    }

    /// The change of the weight's transpose.
    ///
    /// - Parameter rows: The weight's.
    func transposed(rows: Int) -> AdapterUpdate {
        var result = self
        switch form {
        case .lowRank(let up, let down): result.form = .lowRank(up: down.transposed, down: up.transposed)
        case .hadamard(let up1, let down1, let up2, let down2):
            result.form = .hadamard(
                up1: down1.transposed, down1: up1.transposed, up2: down2.transposed, down2: up2.transposed)
        case .kronecker(let first, let second, let kernel):
            result.form = .kronecker(first: first.transposed, second: second.transposed, kernel: kernel)
        case .whole(let values):
            let matrix = Matrix(rows: rows, columns: values.count / max(rows, 1), values: values)
            result.form = .whole(matrix.transposed.values)
        }
        result.magnitude = magnitude.map { Magnitude(lengths: $0.lengths, isOfOutputs: !$0.isOfOutputs) }
        return result
    }

    private func product(_ first: Int, _ second: Int) -> Int {
        let (product, overflow) = first.multipliedReportingOverflow(by: second)
        return overflow ? .max : product
    }
}

/// Numbers in rows.
struct Matrix: Sendable {
    let rows: Int
    let columns: Int
    var values: [Float]

    init(rows: Int, columns: Int, values: [Float]) {
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    /// A tensor as a matrix: its first axis, and all others.
    init(_ shape: Shape, _ values: [Float]) {
        let rows = shape.rank > 0 ? shape[0] : 1
        self.init(rows: rows, columns: rows > 0 ? values.count / rows : 0, values: values)
    }

    /// The first rows, as many as there are of so many.
    func rows(upTo count: Int) -> Matrix {
        let count = min(count, rows)
        return Matrix(rows: count, columns: columns, values: Array(values.prefix(count * columns)))
    }

    /// The first columns, as many as there are of so many.
    func columns(upTo count: Int) -> Matrix {
        let count = min(count, columns)
        let kept = (0..<rows).flatMap { values[($0 * columns)..<($0 * columns + count)] }
        return Matrix(rows: rows, columns: count, values: kept)
    }

    func row(_ index: Int) -> Matrix {
        Matrix(rows: 1, columns: columns, values: Array(values[index * columns..<(index + 1) * columns]))
    }

    /// This times another.
    func times(_ other: Matrix) -> Matrix {
        var result = Matrix(
            rows: rows, columns: other.columns, values: [Float](repeating: 0, count: rows * other.columns))
        result.values.withUnsafeMutableBufferPointer { addProduct(with: other, times: 1, to: $0) }
        return result
    }

    var transposed: Matrix {
        var result = self
        for row in 0..<rows {
            for column in 0..<columns { result.values[column * rows + row] = values[row * columns + column] }
        }
        return Matrix(rows: columns, columns: rows, values: result.values)
    }

    /// Adds this times another, times a factor, to a matrix.
    func addProduct(with other: Matrix, times factor: Float, to result: UnsafeMutableBufferPointer<Float>) {
        addProduct(of: 0..<rows, with: other, times: factor, to: result)
    }

    /// The same of some of this matrix's rows, to a matrix of as many.
    func addProduct(
        of rows: Range<Int>, with other: Matrix, times factor: Float,
        to result: UnsafeMutableBufferPointer<Float>
    ) {
        guard let target = result.baseAddress else { return }
        values.withUnsafeBufferPointer { left in
            other.values.withUnsafeBufferPointer { right in
                easel_add_product(
                    left.baseAddress.map { $0 + rows.lowerBound * columns }, right.baseAddress, target,
                    rows.count,
                    columns, other.columns, factor)
            }
        }
    }
}
