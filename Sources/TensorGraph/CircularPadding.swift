/// Which axes of a picture have no ends: it fits to itself when laid side by side.
public struct WrappedAxes: Sendable, Hashable {
    public var rows: Bool
    public var columns: Bool

    /// - Parameters:
    ///   - rows: Whether the last row is followed by the first.
    ///   - columns: Whether the last column is followed by the first.
    public init(rows: Bool = false, columns: Bool = false) {
        self.rows = rows
        self.columns = columns
    }
}

extension Graph {
    /// The graph with each convolution that pads both ends of an axis alike continuing there at the other end, as
    /// PyTorch's `padding_mode="circular"`.
    ///
    /// - Throws: ``GraphError`` where a picture is smaller than what is padded.
    public func wrapping(_ axes: WrappedAxes) throws -> Graph {
        guard axes.rows || axes.columns else { return self }
        return try rewritten { operation, inputs in
            guard case .primitive(.convolution(let given)) = operation else { return nil }
            let padding = given.padding
            let wrapsRows = axes.rows && padding.top > 0 && padding.top == padding.bottom
            let wrapsColumns = axes.columns && padding.left > 0 && padding.left == padding.right
            guard wrapsRows || wrapsColumns else { return nil }
            var x = inputs[0]
            if wrapsRows { x = wrapped(x, axis: 2, by: padding.top) }
            if wrapsColumns { x = wrapped(x, axis: 3, by: padding.left) }
            let left = Convolution.Padding(
                top: wrapsRows ? 0 : padding.top, left: wrapsColumns ? 0 : padding.left,
                bottom: wrapsRows ? 0 : padding.bottom, right: wrapsColumns ? 0 : padding.right)
            return convolution(
                x, kernel: inputs[1], Convolution(stride: given.stride, padding: left, groups: given.groups))
        }
    }

    private func wrapped(_ x: Tensor, axis: Int, by count: Int) -> Tensor {
        let size = x.size(axis)
        let count = min(count, size)
        return concatenate(
            [slice(x, axis: axis, size - count..<size), x, slice(x, axis: axis, 0..<count)], axis: axis)
    }
}
