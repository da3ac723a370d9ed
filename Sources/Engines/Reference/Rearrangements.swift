import TensorGraph

/// y[n, c, i, j] = x[n, c, i / factor, j / factor]
func upsample(_ x: HostTensor, factor: Int, gives shape: Shape) -> HostTensor {
    let strides = x.shape.strides
    return x.picking(shape) { offset([$0[0], $0[1], $0[2] / factor, $0[3] / factor], strides) }
}

/// y[…, d] = table[indices[…], d]
func gather(
    _ table: HostTensor, _ indices: HostTensor, gives shape: Shape,
    orFail failure: (_ row: Int32, _ rows: Int) -> any Error
) throws -> HostTensor {
    guard case .int32(let rows) = indices.elements else {
        preconditionFailure("a verified graph gathers by int32")
    }
    let values = table.floats
    let width = table.shape[1]
    var result: [Float] = []
    for row in rows {
        guard (0..<table.shape[0]).contains(Int(row)) else { throw failure(row, table.shape[0]) }
        result += values[Int(row) * width..<(Int(row) + 1) * width]
    }
    return HostTensor(result, shape: shape)
}

/// y[v] = the row that goes to v, or table[v] + Σ of the rows that go there
func scatter(
    _ rows: HostTensor, _ indices: HostTensor, _ table: HostTensor, _ scatter: Scatter,
    orFail failure: (_ row: Int32, _ rows: Int) -> any Error
) throws -> HostTensor {
    guard case .int32(let places) = indices.elements else {
        preconditionFailure("a verified graph scatters by int32")
    }
    let (values, width) = (rows.floats, table.shape[1])
    var result = table.floats.map(Double.init)
    for (index, row) in places.enumerated() {
        guard (0..<table.shape[0]).contains(Int(row)) else { throw failure(row, table.shape[0]) }
        for column in 0..<width {
            let value = Double(values[index * width + column])
            switch scatter {
            case .replace: result[Int(row) * width + column] = value
            case .add: result[Int(row) * width + column] += value
            }
        }
    }
    return HostTensor(result.map { Float($0) }, shape: table.shape)
}

/// y[…, k] = where the k-th greatest of x[…, :] is
func topIndices(_ x: HostTensor, gives shape: Shape) -> HostTensor {
    let (values, size, count) = (x.floats, x.shape[-1], shape[-1])
    let indices = stride(from: 0, to: values.count, by: size).flatMap { start in
        (0..<size).sorted { left, right in
            let (first, second) = (values[start + left], values[start + right])
            return first == second ? left < right : first > second
        }.prefix(count).map { Int32($0) }
    }
    return HostTensor(indices, shape: shape)
}

/// y[i₀, i₁, …] = x[j₀, j₁, …] with j[permutation[a]] = i[a]
func transpose(_ x: HostTensor, _ permutation: [Int], gives shape: Shape) -> HostTensor {
    let strides = x.shape.strides
    let moved = permutation.map { strides[$0] }
    return x.picking(shape) { offset($0, moved) }
}

/// y = the operands one after the other along the axis.
func concatenate(_ operands: [HostTensor], axis: Int, gives shape: Shape) -> HostTensor {
    // Everything inside the axis is one run of elements in each operand.
    let outer = shape.dimensions.prefix(axis).reduce(1, *)
    func joined<T>(_ parts: [[T]]) -> [T] {
        (0..<outer).flatMap { index in
            parts.flatMap { part in
                let run = part.count / max(outer, 1)
                return part[index * run..<(index + 1) * run]
            }
        }
    }
    if case .int32 = operands[0].elements {
        let parts = operands.map { operand -> [Int32] in
            guard case .int32(let values) = operand.elements else { return [] }
            return values
        }
        return HostTensor(joined(parts), shape: shape)
    }
    return HostTensor(joined(operands.map(\.floats)), shape: shape)
}

/// y[…, i, …] = x[…, i + start, …] on the axis
func cut(_ x: HostTensor, _ slice: Slice, gives shape: Shape) -> HostTensor {
    let strides = x.shape.strides
    return x.picking(shape) { offset($0, strides) + slice.start * strides[slice.axis] }
}
