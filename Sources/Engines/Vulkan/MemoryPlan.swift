/// Where values lie in one range of memory: those that are never there at one time may share their place.
struct MemoryPlan {
    /// Where each value begins.
    let offsets: [Int]
    let byteCount: Int

    private struct Lifetime {
        let value: Int
        let byteCount: Int
        /// The first and the last call that has to do with the value.
        var first: Int
        var last: Int
    }

    /// Every value begins at a multiple of this.
    static let alignment = 256

    /// The largest values are placed first, each as low as it can be (Pisarchyk and Lee 2020, "greedy by size").
    init(_ calls: [KernelCall], byteCounts: [Int]) {
        var lifetimes = byteCounts.enumerated().map {
            Lifetime(
                value: $0, byteCount: max(($1 + Self.alignment - 1) & ~(Self.alignment - 1), Self.alignment),
                first: .max, last: -1)
        }
        for (index, call) in calls.enumerated() {
            for operand in call.operands {
                guard case .value(let value) = operand.view.storage else { continue }
                lifetimes[value].first = min(lifetimes[value].first, index)
                lifetimes[value].last = index
            }
        }
        lifetimes.removeAll { $0.last < 0 }
        var offsets = [Int](repeating: 0, count: byteCounts.count)
        var placed: [(lifetime: Lifetime, offset: Int)] = []
        var end = 0
        for lifetime in lifetimes.sorted(by: { ($1.byteCount, $0.first) < ($0.byteCount, $1.first) }) {
            var offset = 0
            // Those placed are in the order of their offsets.
            for other in placed
            where other.lifetime.first <= lifetime.last && lifetime.first <= other.lifetime.last {
                if other.offset >= offset + lifetime.byteCount { break }
                offset = max(offset, other.offset + other.lifetime.byteCount)
            }
            offsets[lifetime.value] = offset
            end = max(end, offset + lifetime.byteCount)
            let place = placed.firstIndex { $0.offset > offset } ?? placed.count
            placed.insert((lifetime, offset), at: place)
        }
        self.offsets = offsets
        byteCount = end
    }
}
