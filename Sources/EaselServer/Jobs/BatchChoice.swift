/// How many jobs of one kind are made at once: by how long it took, at once and one after another.
///
/// A batch of small pictures takes less time than they do alone, and one of large ones just as much, while the first
/// picture is there only when all are. So a size is tried where a step is short, and kept to where it pays.
struct BatchChoice: Sendable {
    /// What was measured with batches of one size.
    struct Measured: Sendable {
        /// In seconds, of all steps of one picture.
        var seconds: Double
        /// In seconds, until the U-Net was ready the last time: much where it has to be compiled for the size each time.
        var loading: Double
        /// How many times it was measured.
        var count: Int
        /// In seconds, since the last time.
        var age: Double
    }

    /// The sizes that there are, since the U-Net is compiled for each.
    static let sizes = [8, 4, 2]
    /// How often a size is measured before it is judged.
    static let tries = 2
    /// In seconds, the longest step of a picture alone with which batches are tried.
    static let longestStep = 0.25
    /// Which share of a picture's time alone it may take in a batch: for less gain, none waits for the others.
    static let mostTime = 0.9
    /// In seconds, how long a size is not tried again that was too slow: what else the machine does changes.
    static let verdict = 24.0 * 3600

    /// The number of steps of each picture.
    var steps: Int
    /// By the batch's size; 1 for pictures alone.
    var measured: [Int: Measured] = [:]
    /// Sizes that cannot be computed, mostly for want of memory.
    var failed: Set<Int> = []

    /// How many of so many jobs are best made at once.
    func size(of waiting: Int) -> Int {
        guard let alone = measured[1], alone.count >= Self.tries else { return 1 }
        var best = (size: 1, seconds: alone.seconds * Self.mostTime)
        var untried: Int?
        for size in Self.sizes where size <= waiting && !failed.contains(size) {
            guard let known = measured[size], known.count >= Self.tries else {
                untried = untried ?? size
                continue
            }
            // The U-Net is made ready for the batch, and for single pictures again.
            let seconds = known.seconds + (known.loading + alone.loading) / Double(size)
            if seconds <= best.seconds {
                best = (size, seconds)
            } else if best.size == 1, known.age > Self.verdict {
                untried = untried ?? size
            }
        }
        let isShort = alone.seconds <= Self.longestStep * Double(max(steps, 1))
        return best.size == 1 && isShort ? untried ?? 1 : best.size
    }
}
