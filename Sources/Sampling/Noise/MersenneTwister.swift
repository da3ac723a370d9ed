/// The 32-bit Mersenne Twister, MT19937.
///
/// Matsumoto and Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed uniform pseudo-random
/// number generator", 1998, seeded by one 32-bit word as in the authors' 2002 initialisation.
struct MersenneTwister: Sendable {
    private static let size = 624
    private static let shift = 397

    private var state: [UInt32]
    private var next: Int

    init(seed: UInt32) {
        state = [UInt32](repeating: seed, count: Self.size)
        for index in 1..<Self.size {
            let previous = state[index - 1]
            state[index] = 1_812_433_253 &* (previous ^ (previous >> 30)) &+ UInt32(index)
        }
        next = Self.size
    }

    mutating func word() -> UInt32 {
        if next == Self.size { regenerate() }
        var word = state[next]
        next += 1
        word ^= word >> 11
        word ^= (word << 7) & 0x9d2c_5680
        word ^= (word << 15) & 0xefc6_0000
        return word ^ (word >> 18)
    }

    private mutating func regenerate() {
        for index in 0..<Self.size {
            let following = state[(index + 1) % Self.size]
            let mixed = (state[index] & 0x8000_0000) | (following & 0x7fff_ffff)
            let twisted = (mixed >> 1) ^ (following & 1 == 0 ? 0 : 0x9908_b0df)
            state[index] = state[(index + Self.shift) % Self.size] ^ twisted
        }
        next = 0
    }
}
