import TensorGraph

/// Sixteen bytes at a time, where all that a kernel reads and writes lies so: as much as an invocation moves at once.
extension Lowering {
    /// How many elements like the view's are 16 bytes.
    func vectorSize(_ view: View) -> Int { 16 / byteCount(of: view.element) }

    /// Whether rows of that many elements, one after the other, are whole vectors.
    func areVectors(_ views: [View], rows size: Int) -> Bool {
        views.allSatisfy { size % vectorSize($0) == 0 && $0.offset % vectorSize($0) == 0 }
    }
}

extension MergedAxes {
    /// The axes with vectors for the elements of the innermost one; strides are of elements still.
    ///
    /// - Parameter offsets: Where each operand begins, in elements.
    /// - Returns: Also whether an operand has one element for all of a vector, which the first must not. Nil where operands
    ///   do not lie so.
    func vectors(of size: Int, offsets: [Int]) -> (axes: MergedAxes, isRepeated: [Bool])? {
        guard let innermost = sizes.last, innermost % size == 0, strides[0].last == 1 else { return nil }
        for (own, offset) in zip(strides, offsets) where own.last != 0 {
            guard own.last == 1, offset % size == 0, own.dropLast().allSatisfy({ $0 % size == 0 }) else {
                return nil
            }
        }
        var axes = self
        axes.sizes[sizes.count - 1] /= size
        for index in strides.indices { axes.strides[index][sizes.count - 1] *= size }
        return (axes, strides.map { $0.last == 0 })
    }
}
