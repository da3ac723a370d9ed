/// The operations that every engine must have: a closed set, so that each engine's switch is complete.
public enum Primitive: Sendable, Hashable {
    /// A value that callers pass in.
    case input(String)
    /// A tensor of the checkpoint, stored as given, whose values are read as `float32`.
    case weight(String, storage: ElementType)
    /// Values that are part of the network's definition.
    case constant(HostTensor)

    case unary(Unary)
    case binary(Binary)
    case softmax(axis: Int)
    case reduce(Reduction)

    case matrixMultiply(MatrixMultiply)
    case convolution(Convolution)
    case upsampleNearest(factor: Int)
    case gather
    case scatter(Scatter)
    case topIndices(count: Int)

    case reshape(Shape)
    case transpose([Int])
    case concatenate(axis: Int)
    case slice(Slice)

    public var name: String {
        switch self {
        case .input: "input"
        case .weight: "weight"
        case .constant: "constant"
        case .unary(let unary): unary.rawValue
        case .binary(let binary): binary.rawValue
        case .softmax: "softmax"
        case .reduce(let reduction): "reduce \(reduction.kind.rawValue)"
        case .matrixMultiply: "matrix multiply"
        case .convolution: "convolution"
        case .upsampleNearest: "upsample nearest"
        case .gather: "gather"
        case .scatter(let scatter): "scatter \(scatter.rawValue)"
        case .topIndices: "top indices"
        case .reshape: "reshape"
        case .transpose: "transpose"
        case .concatenate: "concatenate"
        case .slice: "slice"
        }
    }

    /// The type of the result for inputs of these types.
    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        switch self {
        case .input, .weight, .constant: throw ShapeError("has no inputs to infer a type from")
        case .unary(let unary): try unary.infer(inputs)
        case .binary(let binary): try binary.infer(inputs)
        case .softmax(let axis): try inferSoftmax(inputs, axis: axis)
        case .reduce(let reduction): try reduction.infer(inputs)
        case .matrixMultiply(let product): try product.infer(inputs)
        case .convolution(let convolution): try convolution.infer(inputs)
        case .upsampleNearest(let factor): try inferUpsampling(inputs, factor: factor)
        case .gather: try inferGather(inputs)
        case .scatter(let scatter): try scatter.infer(inputs)
        case .topIndices(let count): try inferTopIndices(inputs, count: count)
        case .reshape(let shape): try inferReshape(inputs, shape: shape)
        case .transpose(let permutation): try inferTranspose(inputs, permutation: permutation)
        case .concatenate(let axis): try inferConcatenation(inputs, axis: axis)
        case .slice(let slice): try slice.infer(inputs)
        }
    }
}

/// Checks that there are that many inputs, all `float32`.
func requireFloats(_ inputs: [TensorType], count: Int) throws(ShapeError) {
    guard inputs.count == count else { throw ShapeError("takes \(count) inputs, not \(inputs.count)") }
    for input in inputs where input.elementType != .float32 {
        throw ShapeError("takes float32, not \(input.elementType)")
    }
}

/// Checks that an axis, counted from the outermost, is one of the shape's.
func requireAxis(_ axis: Int, of shape: Shape) throws(ShapeError) {
    guard shape.dimensions.indices.contains(axis) else {
        throw ShapeError("axis \(axis) is not one of the \(shape.rank) of \(shape)")
    }
}

/// The axis counted from the outermost, where a negative one counts from the innermost.
func absolute(_ axis: Int, _ rank: Int) -> Int { axis < 0 ? axis + rank : axis }
