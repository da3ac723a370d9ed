import Foundation

/// CUDA's random number generator in PyTorch: `torch.Generator("cuda").manual_seed(seed)`, then `torch.randn`.
///
/// Philox 4×32 with 10 rounds (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011): each value comes
/// from its own place and the number of the call, so that none depends on another.
public struct PhiloxGenerator: Sendable {
    private let key: (UInt32, UInt32)
    private var call: UInt32 = 0

    public init(seed: UInt64) {
        key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    }

    /// What `torch.randn(count, generator: self)` gives next, in float32; alike, not to the last bit, as graphics
    /// processors' logarithms are not.
    ///
    /// - Parameter count: 0 or more.
    public mutating func normal(count: Int) -> [Float] {
        defer { call &+= 1 }
        return (0..<max(count, 0)).map { index in
            normal(words(at: UInt32(truncatingIfNeeded: index)))
        }
    }

    private func words(at index: UInt32) -> (UInt32, UInt32) {
        var (counter, key) = ((call, UInt32(0), index, UInt32(0)), key)
        for round in 0..<10 {
            if round > 0 { key = (key.0 &+ 0x9E37_79B9, key.1 &+ 0xBB67_AE85) }
            let first = counter.0.multipliedFullWidth(by: 0xD251_1F53)
            let second = counter.2.multipliedFullWidth(by: 0xCD9E_8D57)
            counter = (
                second.high ^ counter.1 ^ key.0, second.low, first.high ^ counter.3 ^ key.1, first.low
            )
        }
        return (counter.0, counter.1)
    }

    /// Box and Muller's sine, of two words as fractions that are never 0.
    private func normal(_ words: (UInt32, UInt32)) -> Float {
        let unit: Float = 2.3283064e-10
        let turn: Float = unit * 6.2831855
        let radius = (-2 * log(Float(words.0) * unit + unit / 2)).squareRoot()
        return radius * sin(Float(words.1) * turn + turn / 2)
    }
}
