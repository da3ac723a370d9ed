import TensorGraph

extension Lowering {
    /// y[n, c, i, j] = x[n, c, i / factor, j / factor]
    mutating func upsample(_ x: View, factor: Int) throws -> View {
        let isChannelsLast = x.channelsLast != nil && !x.isContiguous
        var shape = x.shape
        shape[2] *= factor
        shape[3] *= factor
        let y = allocate(shape, order: isChannelsLast ? Self.channelsLast : nil)
        // Each repetition is an axis of its own, along which the source does not move.
        var (source, target) = (x, y)
        source.shape = [x.shape[0], x.shape[1], x.shape[2], factor, x.shape[3], factor]
        source.strides = [x.strides[0], x.strides[1], x.strides[2], 0, x.strides[3], 0]
        target.shape = source.shape
        target.strides = [
            y.strides[0], y.strides[1], y.strides[2] * factor, y.strides[2], y.strides[3] * factor,
            y.strides[3],
        ]
        try copy(source, to: target)
        return y
    }

    mutating func concatenate(_ parts: [View], axis: Int, shape: [Int]) throws -> View {
        let y = allocate(
            shape, parts[0].element, order: parts.first { $0.isDense && $0.count > 0 }?.order)
        var start = 0
        for part in parts {
            let end = start + part.shape[axis]
            try copy(part, to: y.cut(axis: axis, start..<end))
            start = end
        }
        return y
    }

    /// y[…, d] = table[indices[…], d]
    mutating func gather(_ table: View, _ indices: View, shape: [Int]) throws -> View {
        let (table, indices) = (try contiguous(table), try contiguous(indices))
        let y = allocate(shape)
        let isVector = areVectors([table, y], rows: table.shape[1])
        let vector = isVector ? vectorSize(y) : 1
        call(
            Kernel(shader: .gather, isHalf: isHalf, constants: [isVector ? 1 : 0]),
            [.reads(table), .reads(indices), .writes(y)],
            [y.count / vector, table.shape[0], table.shape[1] / vector].map { UInt32($0) },
            Workgroups(invocations: y.count / vector))
        return y
    }

    mutating func scatter(_ rows: View, to indices: View, of table: View, _ scatter: Scatter) throws -> View {
        let (rows, indices, table) = (try contiguous(rows), try contiguous(indices), try contiguous(table))
        let y = allocate(table.shape)
        call(
            Kernel(shader: .scatter, isHalf: isHalf, constants: [scatter == .add ? 1 : 0]),
            [.reads(table), .reads(indices), .reads(rows), .writes(y)],
            [UInt32(y.count), UInt32(table.shape[1]), UInt32(indices.count)],
            Workgroups(invocations: y.count))
        return y
    }

    /// y[…, k] = where the k-th greatest of x[…, :] is
    mutating func topIndices(_ x: View, shape: [Int]) throws -> View {
        let x = try contiguous(x)
        let y = allocate(shape, .integer)
        call(
            Kernel(shader: .topIndices, isHalf: isHalf, constants: []), [.reads(x), .writes(y)],
            [UInt32(x.count), UInt32(x.shape[x.rank - 1]), UInt32(shape[shape.count - 1])],
            Workgroups(invocations: x.count))
        return y
    }
}
