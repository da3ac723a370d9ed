/// Repeats each picture element of `[N, C, H, W]` `factor` times in both directions.
public func upsampleNearest(_ x: Tensor, factor: Int) -> Tensor {
    x.builder.append(.upsampleNearest(factor: factor), [x])
}

func inferUpsampling(_ inputs: [TensorType], factor: Int) throws(ShapeError) -> TensorType {
    try requireFloats(inputs, count: 1)
    let shape = inputs[0].shape
    guard shape.rank == 4, factor > 0 else { throw ShapeError("takes four axes and a factor above 0") }
    return TensorType([shape[0], shape[1], shape[2] * factor, shape[3] * factor])
}
