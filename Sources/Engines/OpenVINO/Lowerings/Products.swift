import TensorGraph

extension Lowering {
    /// Rows from which on the library adds up in the order of many, and so many numbers that it adds up at once in either
    /// (seen in its release 2026.4, on processors without AVX-512: from some seventy rows on, and of 512 numbers).
    private static let (rowsOfMany, numbersAtOnce) = (128, 512)

    /// A product of matrices. At `float32` a few rows become as many as are added up like many, since a picture that is
    /// made beside others is to be the same as alone.
    mutating func lowerProduct(_ product: MatrixMultiply, _ inputs: [Value], type: TensorType) -> Value {
        let (left, right) = (inputs[0].type.shape, inputs[1].type.shape)
        guard representation.keepsOrderOfSums, !product.transposesLeft, left.rank > 1, right.rank == 2,
            case let size = left[-1], size > Self.numbersAtOnce,
            // One row is a timestep's, which all pictures share.
            case let rows = left.count / size, (2..<Self.rowsOfMany).contains(rows)
        else { return addProduct(product, inputs, type: type) }
        let flat = representation.addReshape(inputs[0], to: [rows, size])
        let padded = representation.add(
            "Pad", "opset1",
            [
                flat, representation.addIntegers([0, 0]),
                representation.addIntegers([Self.rowsOfMany - rows, 0]),
                representation.addConstant(HostTensor([Float(0)], shape: [])),
            ], ["pad_mode": "constant"], gives: TensorType([Self.rowsOfMany, size]))
        let many = addProduct(
            product, [padded, inputs[1]], type: TensorType([Self.rowsOfMany, type.shape[-1]]))
        let own = representation.add(
            "Slice", "opset8",
            [many] + [[0], [rows], [1], [0]].map { representation.addIntegers($0) },
            gives: TensorType([rows, type.shape[-1]]))
        return representation.addReshape(own, to: type.shape)
    }

    private mutating func addProduct(
        _ product: MatrixMultiply, _ inputs: [Value], type: TensorType
    ) -> Value {
        representation.add(
            "MatMul", "opset1", inputs,
            [
                "transpose_a": String(product.transposesLeft), "transpose_b": String(product.transposesRight),
            ], gives: type)
    }
}
