/// e^(x − max) along an axis, divided by its sum there; a negative axis counts from the innermost.
public func softmax(_ x: Tensor, axis: Int = -1) -> Tensor {
    x.builder.append(.softmax(axis: absolute(axis, x.shape.rank)), [x])
}

func inferSoftmax(_ inputs: [TensorType], axis: Int) throws(ShapeError) -> TensorType {
    try requireFloats(inputs, count: 1)
    try requireAxis(axis, of: inputs[0].shape)
    return inputs[0]
}
