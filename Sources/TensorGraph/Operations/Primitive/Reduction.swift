/// One number for all elements along some axes, which stay with size 1.
public struct Reduction: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable { case sum, mean, maximum }

    public let kind: Kind
    /// Counted from the outermost, ascending.
    public let axes: [Int]

    public init(_ kind: Kind, axes: [Int]) {
        self.kind = kind
        self.axes = axes
    }

    func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try requireFloats(inputs, count: 1)
        var shape = inputs[0].shape
        for axis in axes {
            try requireAxis(axis, of: shape)
            guard kind == .sum || shape[axis] > 0 else { throw ShapeError("axis \(axis) has no elements") }
            shape[axis] = 1
        }
        return TensorType(shape)
    }
}

/// The mean along some axes, which stay with size 1.
public func mean(_ x: Tensor, axes: [Int]) -> Tensor { reduce(.mean, x, axes) }
/// The sum along some axes, which stay with size 1.
public func sum(_ x: Tensor, axes: [Int]) -> Tensor { reduce(.sum, x, axes) }
/// The greatest element along some axes, which stay with size 1.
public func maximum(_ x: Tensor, axes: [Int]) -> Tensor { reduce(.maximum, x, axes) }

private func reduce(_ kind: Reduction.Kind, _ x: Tensor, _ axes: [Int]) -> Tensor {
    let axes = Set(axes.map { absolute($0, x.shape.rank) }).sorted()
    return x.builder.append(.reduce(Reduction(kind, axes: axes)), [x])
}
