import TensorGraph

extension Lowering {
    /// y[i] = f(x[i])
    mutating func apply(_ function: Function, _ x: View) throws -> View {
        let x = x.isDense ? x : try contiguous(x)
        let y = allocate(x.shape, x.element, order: x.order)
        let isVector = areVectors([x, y], rows: x.count)
        let count = isVector ? x.count / vectorSize(x) : x.count
        call(
            Kernel(
                shader: .unary, isHalf: hasHalves(x), constants: [function.rawValue, isVector ? 1 : 0]),
            [.reads(x), .writes(y)], [UInt32(count)], Workgroups(invocations: count))
        return y
    }

    /// y[i] = f(a[i], b[i]), in the order of axes of an operand that is not repeated.
    mutating func apply(_ binary: Binary, _ a: View, _ b: View, shape: [Int]) throws -> View {
        let whole = [a, b].first { $0.shape == shape && $0.isDense }
        let y = allocate(shape, a.element, order: whole?.order)
        let numbers = try merged(
            shape, order: y.order,
            [y.strides, a.broadcastStrides(to: shape), b.broadcastStrides(to: shape)])
        let vectors = numbers.vectors(of: vectorSize(y), offsets: [y.offset, a.offset, b.offset])
        let (axes, isRepeated) = vectors ?? (numbers, [false, false, false])
        let count = vectors == nil ? y.count : y.count / vectorSize(y)
        call(
            Kernel(
                shader: .binary, isHalf: hasHalves(a),
                constants: [
                    binary.number, Int32(axes.rank), vectors == nil ? 0 : 1, isRepeated[1] ? 1 : 0,
                    isRepeated[2] ? 1 : 0,
                ]),
            [.reads(a), .reads(b), .writes(y)],
            [UInt32(count)] + MergedAxes.padded(axes.sizes, to: 6, with: 1)
                + MergedAxes.padded(axes.strides[1], to: 6, with: 0)
                + MergedAxes.padded(axes.strides[2], to: 6, with: 0), Workgroups(invocations: count))
        return y
    }

    /// y[…, d] = x[…, d] · GELU(x[…, D + d])
    mutating func gatedGELU(_ x: View) throws -> View {
        var shape = x.shape
        shape[shape.count - 1] /= 2
        let x = try contiguous(x)
        let y = allocate(shape)
        let size = shape[shape.count - 1]
        let isVector = areVectors([x, y], rows: size)
        let vector = isVector ? vectorSize(x) : 1
        call(
            Kernel(shader: .geglu, isHalf: isHalf, constants: [isVector ? 1 : 0]),
            [.reads(x), .writes(y)], [UInt32(y.count / vector), UInt32(size / vector)],
            Workgroups(invocations: y.count / vector))
        return y
    }
}
