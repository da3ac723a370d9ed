import TensorGraph

extension Lowering {
    /// y[i] = f(x[i])
    mutating func apply(_ function: Function, _ x: View) throws -> View {
        let x = x.isDense ? x : try contiguous(x)
        let y = allocate(x.shape, x.element, order: x.order)
        call(
            Kernel(shader: .unary, isHalf: hasHalves(x), constants: [function.rawValue]),
            [.reads(x), .writes(y)], [UInt32(x.count)], Workgroups(invocations: x.count))
        return y
    }

    /// y[i] = f(a[i], b[i]), in the order of axes of an operand that is not repeated.
    mutating func apply(_ binary: Binary, _ a: View, _ b: View, shape: [Int]) throws -> View {
        let whole = [a, b].first { $0.shape == shape && $0.isDense }
        let y = allocate(shape, a.element, order: whole?.order)
        let axes = try merged(
            shape, order: y.order,
            [y.strides, a.broadcastStrides(to: shape), b.broadcastStrides(to: shape)])
        call(
            Kernel(
                shader: .binary, isHalf: hasHalves(a), constants: [binary.number, Int32(axes.rank)]),
            [.reads(a), .reads(b), .writes(y)],
            [UInt32(y.count)] + MergedAxes.padded(axes.sizes, to: 6, with: 1)
                + MergedAxes.padded(axes.strides[1], to: 6, with: 0)
                + MergedAxes.padded(axes.strides[2], to: 6, with: 0), Workgroups(invocations: y.count))
        return y
    }

    /// y[…, d] = x[…, d] · GELU(x[…, D + d])
    mutating func gatedGELU(_ x: View) throws -> View {
        var shape = x.shape
        shape[shape.count - 1] /= 2
        let x = try contiguous(x)
        let y = allocate(shape)
        call(
            Kernel(shader: .geglu, isHalf: isHalf, constants: []), [.reads(x), .writes(y)],
            [UInt32(y.count), UInt32(shape[shape.count - 1])], Workgroups(invocations: y.count))
        return y
    }
}
