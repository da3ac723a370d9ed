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
        if try joinRows(parts, axis: axis, to: y) { return y }
        var start = 0
        for part in parts {
            let end = start + part.shape[axis]
            try copy(part, to: y.cut(axis: axis, start..<end))
            start = end
        }
        return y
    }

    /// Puts two values whose rows are vectors beside each other in one dispatch; false where they do not lie so.
    private mutating func joinRows(_ parts: [View], axis: Int, to y: View) throws -> Bool {
        guard parts.count == 2, parts.allSatisfy({ $0.count > 0 }) else { return false }
        let vector = vectorSize(y)
        let cut = parts[0].shape[axis]
        let places = [y.cut(axis: axis, 0..<cut), y.cut(axis: axis, cut..<y.shape[axis])]
        var rows: [(count: Int, size: Int, stride: Int, resultStride: Int)] = []
        for (part, place) in zip(parts, places) {
            let axes = MergedAxes(part.shape, order: y.order, [place.strides, part.strides])
            guard axes.sizes.count <= 2,
                let vectors = axes.vectors(of: vector, offsets: [place.offset, part.offset]),
                vectors.isRepeated == [false, false], let size = vectors.axes.sizes.last
            else { return false }
            let count = axes.sizes.count == 2 ? axes.sizes[0] : 1
            rows.append((count, size, axes.strides[1][0] / vector, axes.strides[0][0] / vector))
        }
        let (a, b) = (rows[0], rows[1])
        // Each row of the result is one of each.
        let size = a.size + b.size
        guard a.count == b.count, a.count * size * vector == y.count,
            a.count == 1 || rows.allSatisfy({ $0.resultStride == size })
        else { return false }
        call(
            Kernel(shader: .concatenate, isHalf: hasHalves(y), constants: []),
            [.reads(parts[0]), .reads(parts[1]), .writes(y)],
            [y.count / vector, size, a.size, a.stride, b.stride].map { UInt32($0) },
            Workgroups(invocations: y.count / vector))
        return true
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
