/// Numbers rounded to one of some evenly spaced levels: what is left of them when they are stored as small integers and
/// restored (Jacob et al. 2018, section 3; OpenVINO's FakeQuantize).
///
/// Inputs are `x`, and the lowest and the highest level `[1]`; what is beyond them becomes the nearest of them.
public struct FakeQuantize: CompositeOperation {
    /// How many levels there are: 256 for integers of 8 bits.
    public let levels: Int
    public init(levels: Int = 256) { self.levels = levels }
    public var name: String { "fake quantize" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try requireFloats(inputs, count: 3)
        guard inputs[1].shape == [1], inputs[2].shape == [1] else {
            throw ShapeError("the lowest and the highest level are one number each")
        }
        return inputs[0]
    }

    public func decompose(_ inputs: [Tensor]) -> Tensor {
        let (low, high) = (inputs[1], inputs[2])
        let step = (high - low) / Float(levels - 1)
        let within = minimum(maximum(inputs[0], low), high)
        return round((within - low) / step) * step + low
    }
}

public func fakeQuantize(_ x: Tensor, low: Tensor, high: Tensor, levels: Int = 256) -> Tensor {
    x.builder.append(FakeQuantize(levels: levels), [x, low, high])
}

/// The same with levels that are part of the network's definition.
public func fakeQuantize(_ x: Tensor, from low: Float, to high: Float, levels: Int = 256) -> Tensor {
    func level(_ value: Float) -> Tensor { x.builder.constant(HostTensor([value], shape: [1])) }
    return fakeQuantize(x, low: level(low), high: level(high), levels: levels)
}
