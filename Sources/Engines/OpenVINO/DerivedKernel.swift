import Checkpoints
import TensorGraph

/// Convolution kernels computed from a checkpoint's kernel of 3×3 before the graph is compiled.
///
/// Each plane is a kernel `[O, C, rows, columns]` in `float32`; the planes lie one behind the other.
struct DerivedKernel {
    /// The checkpoint's kernel `[O, C, 3, 3]`.
    let source: String
    let outputChannels: Int
    let inputChannels: Int
    let transform: Transform
    /// Where the first plane begins among the derived kernels' bytes.
    let offset: Int

    /// What the nine values of a kernel become: the same for each pair of channels.
    struct Transform {
        let planes: Int
        let rows: Int
        let columns: Int
        /// `[planes · rows · columns][9]`
        let matrix: [[Float]]

        /// For each plane of Winograd's algorithm along a row, three rows of one number.
        static let winograd: Transform = {
            var matrix: [[Float]] = []
            for factors in Winograd.tapTransform {
                for row in 0..<3 {
                    var line = [Float](repeating: 0, count: 9)
                    line.replaceSubrange(3 * row..<3 * row + 3, with: factors)
                    matrix.append(line)
                }
            }
            return Transform(planes: Winograd.planes, rows: 3, columns: 1, matrix: matrix)
        }()

        /// For each place in a block of 2×2 that came from one element, the sums of the values that fall on the
        /// same element: row by row of the block, kernels of 2×2.
        static let upsampled: Transform = {
            // For the first and the second row of a block: which of three taps fall on which of two elements.
            let taps: [[[Float]]] = [[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]]
            var matrix: [[Float]] = []
            for block in 0..<4 {
                for kernel in 0..<4 {
                    let vertical = taps[block / 2][kernel / 2]
                    let horizontal = taps[block % 2][kernel % 2]
                    matrix.append(vertical.flatMap { row in horizontal.map { row * $0 } })
                }
            }
            return Transform(planes: 4, rows: 2, columns: 2, matrix: matrix)
        }()
    }

    var planeShape: Shape { [outputChannels, inputChannels, transform.rows, transform.columns] }
    var planeByteCount: Int { planeShape.count * ElementType.float32.byteCount }
    var byteCount: Int { transform.planes * planeByteCount }

    /// Computes the planes from the checkpoint's values.
    ///
    /// - Parameters:
    ///   - read: Reads the kernel's values from an index on into memory.
    ///   - planes: Where the planes go.
    func compute(
        into planes: UnsafeMutableBufferPointer<Float>,
        reading read: (_ start: Int, _ values: UnsafeMutableBufferPointer<Float>) -> Void
    ) {
        let pairs = outputChannels * inputChannels
        let size = transform.rows * transform.columns
        // Some pairs of channels at a time: their kernels, the same turned to rows of one tap each, and a sum.
        let chunk = 512
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: (9 + 9 + 1) * chunk)
        defer { memory.deallocate() }
        let (taps, sums) = (9 * chunk, 18 * chunk)
        for first in stride(from: 0, to: pairs, by: chunk) {
            let count = min(chunk, pairs - first)
            read(first * 9, UnsafeMutableBufferPointer(rebasing: memory[..<(count * 9)]))
            for pair in 0..<count {
                for tap in 0..<9 { memory[taps &+ tap &* chunk &+ pair] = memory[pair &* 9 &+ tap] }
            }
            for (index, factors) in transform.matrix.enumerated() {
                for pair in 0..<count { memory[sums &+ pair] = 0 }
                for (tap, factor) in factors.enumerated() where factor != 0 {
                    let row = taps + tap * chunk
                    for pair in 0..<count { memory[sums &+ pair] += memory[row &+ pair] * factor }
                }
                let start = (index / size * pairs + first) * size + index % size
                for pair in 0..<count { planes[start &+ pair &* size] = memory[sums &+ pair] }
            }
        }
    }
}
