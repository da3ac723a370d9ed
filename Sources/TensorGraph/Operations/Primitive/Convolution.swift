/// A two-dimensional cross-correlation: `[N, C, H, W]` with a kernel `[O, C / groups, kH, kW]`.
public struct Convolution: Sendable, Hashable {
    /// Rows and columns of zeros around the picture.
    public struct Padding: Sendable, Hashable {
        public let top, left, bottom, right: Int

        public init(top: Int, left: Int, bottom: Int, right: Int) {
            self.top = top
            self.left = left
            self.bottom = bottom
            self.right = right
        }

        public init(_ all: Int) { self.init(top: all, left: all, bottom: all, right: all) }
    }

    public let stride: Int
    public let padding: Padding
    public let groups: Int

    public init(stride: Int = 1, padding: Padding = Padding(0), groups: Int = 1) {
        self.stride = stride
        self.padding = padding
        self.groups = groups
    }

    func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try requireFloats(inputs, count: 2)
        let (input, kernel) = (inputs[0].shape, inputs[1].shape)
        guard input.rank == 4, kernel.rank == 4 else { throw ShapeError("input and kernel need four axes") }
        guard stride > 0, groups > 0 else { throw ShapeError("stride \(stride), groups \(groups)") }
        guard input[1] == kernel[1] * groups, kernel[0] % groups == 0 else {
            throw ShapeError("\(input[1]) channels in \(groups) groups for a kernel of \(kernel)")
        }
        let height = input[2] + padding.top + padding.bottom - kernel[2]
        let width = input[3] + padding.left + padding.right - kernel[3]
        guard height >= 0, width >= 0 else { throw ShapeError("the kernel is larger than the padded input") }
        return TensorType([input[0], kernel[0], height / stride + 1, width / stride + 1])
    }
}

/// The cross-correlation of `[N, C, H, W]` with a kernel `[O, C / groups, kH, kW]`, without a bias.
public func convolution(_ x: Tensor, kernel: Tensor, _ convolution: Convolution = Convolution()) -> Tensor {
    x.builder.append(.convolution(convolution), [x, kernel])
}
