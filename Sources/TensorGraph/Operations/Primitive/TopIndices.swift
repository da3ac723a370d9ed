/// Where the `count` greatest elements along the innermost axis are, the greatest first and equal ones in any order:
/// `[…, n]` to `[…, count]` of type `int32`.
public func topIndices(_ x: Tensor, count: Int) -> Tensor {
    x.builder.append(.topIndices(count: count), [x])
}

func inferTopIndices(_ inputs: [TensorType], count: Int) throws(ShapeError) -> TensorType {
    try requireFloats(inputs, count: 1)
    var shape = inputs[0].shape
    guard shape.rank > 0 else { throw ShapeError("takes one axis at least") }
    guard (1...max(shape[-1], 1)).contains(count), count <= shape[-1] else {
        throw ShapeError("there are no \(count) of \(shape[-1]) elements")
    }
    shape[-1] = count
    return TensorType(shape, .int32)
}
