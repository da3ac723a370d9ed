import CArithmetic
import TensorGraph

/// How one layer's weight becomes integers.
struct QuantizedLayer: Sendable {
    /// Nil for one whose activations stay as they are.
    var range: ActivationRanges.Range?
    var bitCount = 8
    /// What the file has; nil where its numbers are to be rounded.
    var integers: GroupedIntegers?

    var elementType: ElementType { bitCount == 4 ? .int4 : .int8 }

    /// Writes a weight's integers and their scales, some groups after the others.
    ///
    /// - Parameters:
    ///   - count: The number of integers.
    ///   - read: Gives floating-point numbers of the weight, from an index on.
    func fill(
        _ bytes: UnsafeMutableRawBufferPointer, _ scales: UnsafeMutableBufferPointer<Float>, count: Int,
        reading read: (_ start: Int, UnsafeMutableBufferPointer<Float>) -> Void
    ) throws(FileError) {
        guard !scales.isEmpty, count > 0 else { return }
        let size = count / scales.count
        // An even number of groups, so that each chunk begins with a byte.
        let chunk = min(max(2, (1 << 15) / size & ~1), scales.count)
        let integers = UnsafeMutableBufferPointer<Int8>.allocate(capacity: chunk * size)
        let row = UnsafeMutableBufferPointer<Float>.allocate(capacity: size)
        defer {
            integers.deallocate()
            row.deallocate()
        }
        for first in stride(from: 0, to: scales.count, by: chunk) {
            let groups = first..<min(first + chunk, scales.count)
            if let stored = self.integers {
                try stored.read(groups, into: integers, scales: .init(rebasing: scales[groups]))
            } else {
                for group in groups {
                    read(group * size, row)
                    let places = (group - first) * size..<(group - first + 1) * size
                    let own = UnsafeMutableBufferPointer(rebasing: integers[places])
                    scales[group] =
                        bitCount == 4
                        ? QuantizedWeights.quantizeToFourBits(row, into: own)
                        : QuantizedWeights.quantize(row, into: own)
                }
            }
            let target = UnsafeMutableRawBufferPointer(
                rebasing: bytes[elementType.byteCount(of: first * size)...])
            if bitCount == 4 {
                easel_pack_four_bits(integers.baseAddress, target.baseAddress, groups.count * size)
            } else {
                target.copyMemory(
                    from: UnsafeRawBufferPointer(
                        rebasing: UnsafeRawBufferPointer(integers)[..<(groups.count * size)]))
            }
        }
    }
}
