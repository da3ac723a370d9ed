/// numpy's `SeedSequence`: a number and a place in a tree to words that share no pattern (O'Neill, "Developing a
/// seed_seq Alternative", 2015).
struct SeedSequence {
    private var pool: [UInt32]

    /// - Parameters:
    ///   - entropy: The number.
    ///   - spawnKey: The place, for one below the root.
    ///   - poolSize: How many words are mixed.
    init(entropy: UInt64, spawnKey: [UInt64] = [], poolSize: Int) {
        func words(_ value: UInt64) -> [UInt32] {
            let (low, high) = (UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32))
            return high == 0 ? [low] : [low, high]
        }
        var entropy = words(entropy)
        if !spawnKey.isEmpty {
            entropy += Array(repeating: 0, count: max(poolSize - entropy.count, 0))
            entropy += spawnKey.flatMap(words)
        }
        var constant: UInt32 = 0x43b0_d7e5
        func hashed(_ value: UInt32) -> UInt32 {
            var value = value ^ constant
            constant &*= 0x931e_8875
            value &*= constant
            return value ^ value >> 16
        }
        func mixed(_ own: UInt32, _ other: UInt32) -> UInt32 {
            let result = 0xca01_f9dd &* own &- 0x4973_f715 &* other
            return result ^ result >> 16
        }
        var pool = (0..<poolSize).map { hashed($0 < entropy.count ? entropy[$0] : 0) }
        for source in pool.indices {
            for target in pool.indices where target != source {
                pool[target] = mixed(pool[target], hashed(pool[source]))
            }
        }
        for word in entropy.dropFirst(poolSize) {
            for target in pool.indices { pool[target] = mixed(pool[target], hashed(word)) }
        }
        self.pool = pool
    }

    /// The first word of `generate_state`.
    var firstWord: UInt32 {
        var value = pool[0] ^ 0x8b51_f9dd
        value &*= 0x8b51_f9dd &* 0x58f3_8ded
        return value ^ value >> 16
    }
}
