/// The product of the two innermost axes of each operand, either of which may be read transposed; the outer
/// axes broadcast.
public struct MatrixMultiply: Sendable, Hashable {
    public let transposesLeft: Bool
    public let transposesRight: Bool

    public init(transposesLeft: Bool = false, transposesRight: Bool = false) {
        self.transposesLeft = transposesLeft
        self.transposesRight = transposesRight
    }

    func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try requireFloats(inputs, count: 2)
        let (left, right) = (inputs[0].shape, inputs[1].shape)
        guard left.rank >= 2, right.rank >= 2 else { throw ShapeError("operands need two axes at least") }
        let (rows, inner) = transposesLeft ? (left[-1], left[-2]) : (left[-2], left[-1])
        let (innerRight, columns) = transposesRight ? (right[-1], right[-2]) : (right[-2], right[-1])
        guard inner == innerRight else { throw ShapeError("inner sizes are \(inner) and \(innerRight)") }
        let outer = Shape(left.dimensions.dropLast(2)).broadcast(with: Shape(right.dimensions.dropLast(2)))
        guard let outer else { throw ShapeError("the outer axes do not broadcast") }
        return TensorType(Shape(outer.dimensions + [rows, columns]))
    }
}

/// `left · right`, `[…, m, k] · […, k, n] → […, m, n]`; with `transposesRight` the right one is `[…, n, k]`.
public func matrixMultiply(
    _ left: Tensor, _ right: Tensor, transposesLeft: Bool = false, transposesRight: Bool = false
) -> Tensor {
    let product = MatrixMultiply(transposesLeft: transposesLeft, transposesRight: transposesRight)
    return left.builder.append(.matrixMultiply(product), [left, right])
}
