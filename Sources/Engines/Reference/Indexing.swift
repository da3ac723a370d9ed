import TensorGraph

extension Shape {
    /// Every index of the shape, in row-major order; a scalar has one, without axes.
    var indices: [[Int]] {
        var indices: [[Int]] = [[]]
        for size in dimensions {
            indices = indices.flatMap { index in (0..<size).map { index + [$0] } }
        }
        return indices
    }

    /// Strides by which an index of the larger shape is read here: zero on axes that are repeated.
    func broadcastStrides(to larger: Shape) -> [Int] {
        let own = strides
        return larger.dimensions.indices.map { axis in
            let ownAxis = axis - (larger.rank - rank)
            return ownAxis < 0 || self[ownAxis] == 1 ? 0 : own[ownAxis]
        }
    }
}

/// Where an element is in row-major order.
func offset(_ index: [Int], _ strides: [Int]) -> Int { zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 } }

extension HostTensor {
    /// The elements of which each of the result's indices says which one it is.
    func picking(_ shape: Shape, _ source: ([Int]) -> Int) -> HostTensor {
        let offsets = shape.indices.map(source)
        switch elements {
        case .float32(let values): return HostTensor(offsets.map { values[$0] }, shape: shape)
        case .int32(let values): return HostTensor(offsets.map { values[$0] }, shape: shape)
        }
    }

    /// The same elements under another shape.
    func reshaped(_ shape: Shape) -> HostTensor {
        switch elements {
        case .float32(let values): HostTensor(values, shape: shape)
        case .int32(let values): HostTensor(values, shape: shape)
        }
    }
}
