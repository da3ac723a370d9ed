import TensorGraph

extension Lowering {
    /// y = the sum, the mean or the greatest of x along axes.
    mutating func reduce(_ x: View, _ reduction: Reduction, shape: [Int]) throws -> View {
        let y = allocate(shape)
        let kept = x.shape.indices.filter { !reduction.axes.contains($0) }
        func axes(_ chosen: [Int]) throws -> MergedAxes {
            try merged(
                chosen.map { x.shape[$0] }, order: Array(chosen.indices), [chosen.map { x.strides[$0] }],
                most: 5)
        }
        let (outer, inner) = (try axes(kept), try axes(reduction.axes))
        let number: Int32 =
            switch reduction.kind {
            case .sum: 0
            case .mean: 1
            case .maximum: 2
            }
        call(
            Kernel(shader: .reduce, isHalf: isHalf, constants: [number]), [.reads(x), .writes(y)],
            [UInt32(y.count), UInt32(reduction.axes.reduce(1) { $0 * x.shape[$1] })]
                + MergedAxes.padded(outer.sizes, to: 5, with: 1, inFront: true)
                + MergedAxes.padded(outer.strides[0], to: 5, with: 0, inFront: true)
                + MergedAxes.padded(inner.sizes, to: 5, with: 1, inFront: true)
                + MergedAxes.padded(inner.strides[0], to: 5, with: 0, inFront: true),
            Workgroups(inRow: y.count))
        return y
    }

    mutating func softmax(_ x: View, axis: Int) throws -> View {
        let x = x.isDense ? x : try contiguous(x)
        let y = allocate(x.shape, order: x.order)
        let size = x.shape[axis]
        guard x.count > 0 else { return y }
        if y.strides[axis] == 1, areVectors([x, y], rows: size),
            let lanes = RowLanes(vectors: size / vectorSize(x))
        {
            call(
                Kernel(shader: .softmaxRows, isHalf: isHalf, constants: [lanes.count, lanes.each]),
                [.reads(x), .writes(y)], [UInt32(x.count / size), UInt32(size / vectorSize(x))],
                lanes.workgroups(rows: x.count / size))
            return y
        }
        call(
            Kernel(shader: .softmax, isHalf: isHalf, constants: []), [.reads(x), .writes(y)],
            [UInt32(x.count / size), UInt32(size), UInt32(y.strides[axis])],
            Workgroups(inRow: x.count / size))
        return y
    }
}
