import Checkpoints
import TensorGraph

/// Convolution kernels computed from a checkpoint's kernel of 3×3 before the graph is compiled.
///
/// Each plane is a kernel `[O, C, rows, columns]`, in `float32` or, like the checkpoint's, in integers of 8 bits; the planes
/// lie one behind the other, and behind them the scales of those of integers.
struct DerivedKernel {
    /// The checkpoint's kernel `[O, C, 3, 3]`.
    let source: StoredKernel
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
    var elementType: ElementType { source.scale == nil ? .float32 : .int8 }
    var planeByteCount: Int { elementType.byteCount(of: planeShape.count) }

    /// Where a plane's scales begin among the derived kernels' bytes, where it is of integers: one for each output channel.
    func scaleOffset(plane: Int) -> Int { offset + scalesStart + plane * outputChannels * 4 }
    private var scalesStart: Int { (transform.planes * planeByteCount + 63) & ~63 }

    var byteCount: Int {
        source.scale == nil ? scalesStart : scalesStart + transform.planes * outputChannels * 4
    }

    /// Reads so many values of one of the checkpoint's tensors, from an index on, into memory.
    typealias Reader = (_ name: String, _ start: Int, _ values: UnsafeMutableBufferPointer<Float>) -> Void

    /// Computes the planes from the checkpoint's values.
    ///
    /// Sums of integers are rounded to integers of 8 bits again, each output channel of a plane with a scale of its own.
    ///
    /// - Parameter bytes: Where the planes and their scales go, ``byteCount`` of them.
    func compute(into bytes: UnsafeMutableRawBufferPointer, reading read: Reader) {
        let size = transform.rows * transform.columns
        let planeCount = outputChannels * inputChannels * size
        guard let scale = source.scale else {
            let planes = bytes.bindMemory(to: Float.self)
            forEachSum(ofPairs: 0..<outputChannels * inputChannels, reading: read) {
                plane, place, first, sums in
                let start = plane * planeCount + first * size + place
                for (pair, sum) in sums.enumerated() { planes[start &+ pair &* size] = sum }
            }
            return
        }
        let integers = UnsafeMutableRawBufferPointer(rebasing: bytes[..<scalesStart]).bindMemory(
            to: Int8.self)
        let scales = UnsafeMutableRawBufferPointer(rebasing: bytes[scalesStart...]).bindMemory(to: Float.self)
        let rowSize = inputChannels * size
        let rows = UnsafeMutableBufferPointer<Float>.allocate(capacity: transform.planes * rowSize)
        let factors = UnsafeMutableBufferPointer<Float>.allocate(capacity: outputChannels)
        defer {
            rows.deallocate()
            factors.deallocate()
        }
        read(scale, 0, factors)
        for output in 0..<outputChannels {
            let pairs = output * inputChannels..<(output + 1) * inputChannels
            forEachSum(ofPairs: pairs, reading: read) { plane, place, first, sums in
                let start = plane * rowSize + (first - pairs.lowerBound) * size + place
                for (pair, sum) in sums.enumerated() { rows[start &+ pair &* size] = sum }
            }
            for plane in 0..<transform.planes {
                let target = plane * planeCount + output * rowSize
                let step = QuantizedWeights.quantize(
                    .init(rebasing: rows[plane * rowSize..<(plane + 1) * rowSize]),
                    into: .init(rebasing: integers[target..<target + rowSize]))
                scales[plane * outputChannels + output] = step * factors[output]
            }
        }
    }

    /// Goes through the values of the planes, for some pairs of channels at a time: a plane, a place in its kernels, the first
    /// pair, and the values of it and those that follow.
    private func forEachSum(
        ofPairs pairs: Range<Int>, reading read: Reader,
        _ body: (_ plane: Int, _ place: Int, _ first: Int, UnsafeMutableBufferPointer<Float>) -> Void
    ) {
        let size = transform.rows * transform.columns
        // Their kernels, the same turned to rows of one tap each, and a sum.
        let chunk = 512
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: (9 + 9 + 1) * chunk)
        defer { memory.deallocate() }
        let (taps, sums) = (9 * chunk, 18 * chunk)
        for first in stride(from: pairs.lowerBound, to: pairs.upperBound, by: chunk) {
            let count = min(chunk, pairs.upperBound - first)
            read(source.name, first * 9, UnsafeMutableBufferPointer(rebasing: memory[..<(count * 9)]))
            for pair in 0..<count {
                for tap in 0..<9 { memory[taps &+ tap &* chunk &+ pair] = memory[pair &* 9 &+ tap] }
            }
            for (index, factors) in transform.matrix.enumerated() {
                for pair in 0..<count { memory[sums &+ pair] = 0 }
                for (tap, factor) in factors.enumerated() where factor != 0 {
                    let row = taps + tap * chunk
                    for pair in 0..<count { memory[sums &+ pair] += memory[row &+ pair] * factor }
                }
                body(index / size, index % size, first, .init(rebasing: memory[sums..<sums + count]))
            }
        }
    }
}
