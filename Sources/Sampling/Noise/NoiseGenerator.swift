import Foundation

/// PyTorch's CPU random number generator: `torch.Generator("cpu").manual_seed(seed)`, then `torch.randn`.
///
/// The values equal those of PyTorch on a processor with AVX2, bit for bit. Two seeds with the same low 32 bits
/// give the same values, as in PyTorch; a negative Python seed is the one with `UInt64(bitPattern:)`.
public struct NoiseGenerator: Sendable {
    private var twister: MersenneTwister
    /// The second value of the last pair that was drawn one value at a time.
    private var pending: Double?

    public init(seed: UInt64) {
        twister = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
    }

    /// What `torch.randn(count, generator: self)` gives next, in float32.
    ///
    /// The values depend on how they are asked for, as in PyTorch: two calls for 16 values are not one call
    /// for 32, and fewer than 16 are made another way.
    ///
    /// - Parameter count: 0 or more.
    public mutating func normal(count: Int) -> [Float] {
        guard count >= BoxMullerBlock.size else { return (0..<max(count, 0)).map { _ in Float(single()) } }
        var values = [Float](repeating: 0, count: count)
        values.withUnsafeMutableBufferPointer { buffer in
            for index in 0..<count { buffer[index] = uniform() }
            let whole = count - count % BoxMullerBlock.size
            for start in stride(from: 0, to: whole, by: BoxMullerBlock.size) {
                BoxMullerBlock.transform(buffer, at: start)
            }
            guard whole < count else { return }
            // The last 16 are drawn anew, over the end of the block before.
            let last = count - BoxMullerBlock.size
            for index in last..<count { buffer[index] = uniform() }
            BoxMullerBlock.transform(buffer, at: last)
        }
        return values
    }

    /// A multiple of 2⁻²⁴ in [0, 1).
    private mutating func uniform() -> Float {
        Float(twister.word() & 0xff_ffff) * 0x1p-24
    }

    /// A multiple of 2⁻⁵³ in [0, 1).
    private mutating func uniformDouble() -> Double {
        let high = UInt64(twister.word())
        let bits = (high << 32) | UInt64(twister.word())
        return Double(bits & 0x1f_ffff_ffff_ffff) * 0x1p-53
    }

    private mutating func single() -> Double {
        if let value = pending {
            pending = nil
            return value
        }
        let angle = 2 * Double.pi * uniformDouble()
        let radius = (-2 * log1p(-uniformDouble())).squareRoot()
        pending = radius * sin(angle)
        return radius * cos(angle)
    }
}
