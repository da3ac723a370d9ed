/// The rows of a table `[V, D]` at indices `[…]` of type `int32`: `[…, D]`. Indices must be within the table.
public func gather(_ table: Tensor, at indices: Tensor) -> Tensor {
    table.builder.append(.gather, [table, indices])
}

func inferGather(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
    guard inputs.count == 2, inputs[0].elementType == .float32, inputs[1].elementType == .int32 else {
        throw ShapeError("takes a float32 table and int32 indices")
    }
    guard inputs[0].shape.rank == 2 else { throw ShapeError("the table needs two axes") }
    return TensorType(Shape(inputs[1].shape.dimensions + [inputs[0].shape[1]]))
}
