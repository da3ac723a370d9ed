import Dispatch
import TensorGraph

/// How matrices are written with few bits a number: in blocks of 32 numbers of a row, which share a scale, and in those
/// whose name ends in 1 a minimum. The names are ggml's.
public enum BlockFormat: String, Sendable, Hashable, CaseIterable {
    /// 8 bits, and half a bit for the scale.
    case q8 = "q8_0"
    /// 5 bits, and 1 for scale and minimum.
    case q5WithMinimum = "q5_1"
    case q5 = "q5_0"
    /// 4 bits, and 1 for scale and minimum.
    case q4WithMinimum = "q4_1"
    case q4 = "q4_0"

    /// The numbers in a block.
    static let count = 32

    var type: GGUFType {
        switch self {
        case .q8: .q80
        case .q5WithMinimum: .q51
        case .q5: .q50
        case .q4WithMinimum: .q41
        case .q4: .q40
        }
    }

    /// The blocks of numbers that fill whole ones, each rounded as ggml's reference functions do
    /// (`quantize_row_*_ref` in `ggml-quants.c` of https://github.com/ggml-org/ggml). A block with a number that is none has
    /// a scale that is none.
    func blocks(of values: [Float]) -> [UInt8] {
        let (size, blockCount) = (type.block.byteCount, values.count / Self.count)
        let blocksAtOnce = 4096
        return [UInt8](unsafeUninitializedCapacity: blockCount * size) { bytes, written in
            nonisolated(unsafe) let bytes = bytes
            values.withUnsafeBufferPointer { values in
                nonisolated(unsafe) let values = values
                let parts = (blockCount + blocksAtOnce - 1) / blocksAtOnce
                DispatchQueue.concurrentPerform(iterations: parts) { part in
                    for index in part * blocksAtOnce..<min((part + 1) * blocksAtOnce, blockCount) {
                        let (from, to) = (index * Self.count, index * size)
                        write(
                            UnsafeBufferPointer(rebasing: values[from..<from + Self.count]),
                            to: UnsafeMutableBufferPointer(rebasing: bytes[to..<to + size]))
                    }
                }
            }
            written = blockCount * size
        }
    }

    private typealias Numbers = UnsafeBufferPointer<Float>
    private typealias Bytes = UnsafeMutableBufferPointer<UInt8>

    private func write(_ numbers: Numbers, to bytes: Bytes) {
        bytes.update(repeating: 0)
        guard numbers.allSatisfy(\.isFinite) else { return Self.writeHalf(.nan, to: bytes, at: 0) }
        switch self {
        case .q8:
            let scale = (numbers.lazy.map(\.magnitude).max() ?? 0) / 127
            let inverse = scale == 0 ? 0 : 1 / scale
            Self.writeHalf(scale, to: bytes, at: 0)
            for place in numbers.indices {
                let level = (numbers[place] * inverse).rounded(.toNearestOrAwayFromZero)
                bytes[2 + place] = UInt8(bitPattern: Int8(max(-127, min(127, level))))
            }
        case .q4, .q5:
            // The number of the greatest magnitude has the lowest level.
            let half: Float = self == .q4 ? 8 : 16
            let scale = (numbers.max { $0.magnitude < $1.magnitude } ?? 0) / -half
            let inverse = scale == 0 ? 0 : 1 / scale
            Self.writeHalf(scale, to: bytes, at: 0)
            writeLevels(to: bytes, at: 2, of: 2 * half) { numbers[$0] * inverse + (half + 0.5) }
        case .q4WithMinimum, .q5WithMinimum:
            let levels: Float = self == .q4WithMinimum ? 16 : 32
            let minimum = numbers.min() ?? 0
            let scale = ((numbers.max() ?? 0) - minimum) / (levels - 1)
            let inverse = scale == 0 ? 0 : 1 / scale
            Self.writeHalf(scale, to: bytes, at: 0)
            Self.writeHalf(minimum, to: bytes, at: 2)
            writeLevels(to: bytes, at: 4, of: levels) { (numbers[$0] - minimum) * inverse + 0.5 }
        }
    }

    /// Writes the levels, fifth bits first where there are some, then two numbers a byte.
    private func writeLevels(to bytes: Bytes, at start: Int, of count: Float, _ value: (Int) -> Float) {
        func level(_ place: Int) -> UInt8 { UInt8(max(0, min(count - 1, value(place).rounded(.down)))) }
        let pairs = count > 16 ? start + 4 : start
        for place in 0..<Self.count / 2 {
            let (low, high) = (level(place), level(place + 16))
            bytes[pairs + place] = low & 15 | (high & 15) << 4
            guard count > 16 else { continue }
            bytes[start + place / 8] |= (low >> 4) << (place % 8)
            bytes[start + 2 + place / 8] |= (high >> 4) << (place % 8)
        }
    }

    private static func writeHalf(_ value: Float, to bytes: Bytes, at place: Int) {
        let half = UInt16(float16: value)
        (bytes[place], bytes[place + 1]) = (UInt8(half & 255), UInt8(half >> 8))
    }
}
