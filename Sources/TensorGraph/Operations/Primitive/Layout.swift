/// The same elements in row-major order under another shape.
public func reshape(_ x: Tensor, _ shape: Shape) -> Tensor { x.builder.append(.reshape(shape), [x]) }

func inferReshape(_ inputs: [TensorType], shape: Shape) throws(ShapeError) -> TensorType {
    guard inputs.count == 1 else { throw ShapeError("takes one input") }
    guard shape.checkedCount == inputs[0].shape.count else { throw ShapeError("does not fill \(shape)") }
    return TensorType(shape, inputs[0].elementType)
}

/// The axes in another order: axis `i` of the result is axis `permutation[i]` of the input.
public func transpose(_ x: Tensor, _ permutation: [Int]) -> Tensor {
    x.builder.append(.transpose(permutation), [x])
}

func inferTranspose(_ inputs: [TensorType], permutation: [Int]) throws(ShapeError) -> TensorType {
    guard inputs.count == 1, permutation.sorted() == Array(inputs[0].shape.dimensions.indices) else {
        throw ShapeError("\(permutation) is not an order of the input's axes")
    }
    return TensorType(Shape(permutation.map { inputs[0].shape[$0] }), inputs[0].elementType)
}

/// The inputs one after the other along an axis; a negative axis counts from the innermost.
public func concatenate(_ inputs: [Tensor], axis: Int) -> Tensor {
    precondition(!inputs.isEmpty, "nothing to concatenate")
    return inputs[0].builder.append(.concatenate(axis: absolute(axis, inputs[0].shape.rank)), inputs)
}

func inferConcatenation(_ inputs: [TensorType], axis: Int) throws(ShapeError) -> TensorType {
    guard let first = inputs.first else { throw ShapeError("takes one input at least") }
    try requireAxis(axis, of: first.shape)
    var shape = first.shape
    shape[axis] = 0
    for input in inputs {
        guard input.elementType == first.elementType, input.shape.rank == shape.rank,
            shape.dimensions.indices.allSatisfy({ $0 == axis || input.shape[$0] == first.shape[$0] })
        else { throw ShapeError("the inputs differ on other axes than \(axis)") }
        shape[axis] += input.shape[axis]
    }
    return TensorType(shape, first.elementType)
}

/// Part of the input: a range of one axis.
public struct Slice: Sendable, Hashable {
    public let axis: Int
    public let start: Int
    /// The first index that is left out.
    public let end: Int

    public init(axis: Int, start: Int, end: Int) {
        self.axis = axis
        self.start = start
        self.end = end
    }

    func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        guard inputs.count == 1 else { throw ShapeError("takes one input") }
        var shape = inputs[0].shape
        try requireAxis(axis, of: shape)
        guard 0 <= start, start <= end, end <= shape[axis] else {
            throw ShapeError("\(start)..<\(end) is not within axis \(axis)")
        }
        shape[axis] = end - start
        return TensorType(shape, inputs[0].elementType)
    }
}

/// The elements of `x` whose index on an axis is in the range; a negative axis counts from the innermost.
public func slice(_ x: Tensor, axis: Int, _ range: Range<Int>) -> Tensor {
    let axis = absolute(axis, x.shape.rank)
    return x.builder.append(
        .slice(Slice(axis: axis, start: range.lowerBound, end: range.upperBound)), [x])
}
