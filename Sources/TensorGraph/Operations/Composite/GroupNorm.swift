/// Group normalisation of `[N, C, H, W]` (Wu and He 2018), with a scale and a shift `[C]`.
public struct GroupNorm: CompositeOperation {
    public let groups: Int
    public let epsilon: Float

    public init(groups: Int, epsilon: Float) {
        self.groups = groups
        self.epsilon = epsilon
    }

    public var name: String { "group norm" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try requireFloats(inputs, count: 3)
        let shape = inputs[0].shape
        guard shape.rank == 4, groups > 0, shape[1] % groups == 0 else {
            throw ShapeError("the channels do not divide into \(groups) groups")
        }
        guard inputs[1].shape == [shape[1]], inputs[2].shape == [shape[1]] else {
            throw ShapeError("scale and shift must have one value a channel")
        }
        return inputs[0]
    }

    public func decompose(_ inputs: [Tensor]) -> Tensor {
        let (x, scale, shift) = (inputs[0], inputs[1], inputs[2])
        let channels = x.size(1)
        let grouped = reshape(x, [x.size(0), groups, channels / groups * x.size(2) * x.size(3)])
        let flat = reshape(normalized(grouped, axes: [2], epsilon: epsilon), x.shape)
        return flat * reshape(scale, [1, channels, 1, 1]) + reshape(shift, [1, channels, 1, 1])
    }
}

/// Group normalisation of `[N, C, H, W]`, with the scale and the shift at `weight` and `bias` of the scope.
public func groupNorm(_ x: Tensor, groups: Int, epsilon: Float, _ weights: WeightScope) -> Tensor {
    let size: Shape = [x.shape[1]]
    return groupNorm(
        x, groups: groups, epsilon: epsilon, scale: weights.tensor("weight", size),
        shift: weights.tensor("bias", size))
}

/// Group normalisation of `[N, C, H, W]` with a scale and a shift `[C]`.
public func groupNorm(_ x: Tensor, groups: Int, epsilon: Float, scale: Tensor, shift: Tensor) -> Tensor {
    x.builder.append(GroupNorm(groups: groups, epsilon: epsilon), [x, scale, shift])
}
