/// What becomes of a table's row where another is scattered to it.
public enum Scatter: String, Sendable, Hashable, CaseIterable {
    /// The other takes its place; none may go where one went before.
    case replace
    /// The other is added to it, in the order of the indices.
    case add

    func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        guard inputs.count == 3, inputs[1].elementType == .int32 else {
            throw ShapeError("takes a float32 table, int32 indices and float32 rows")
        }
        try requireFloats([inputs[0], inputs[2]], count: 2)
        let (table, indices, rows) = (inputs[0].shape, inputs[1].shape, inputs[2].shape)
        guard table.rank == 2, indices.rank == 1, rows == [indices[0], table[1]] else {
            throw ShapeError("needs a table [V, D], indices [M] and rows [M, D]")
        }
        return TensorType(table)
    }
}

/// The table `[V, D]` with rows `[M, D]` scattered to the indices `[M]` of type `int32`, which must be within the table.
public func scatter(_ rows: Tensor, to indices: Tensor, of table: Tensor, _ scatter: Scatter) -> Tensor {
    table.builder.append(.scatter(scatter), [table, indices, rows])
}
