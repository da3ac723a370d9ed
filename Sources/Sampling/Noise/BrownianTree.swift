import Foundation

/// A Brownian path over noise levels that does not depend on where it is looked at: torchsde's `BrownianTree`, as
/// k-diffusion's samplers of stochastic equations use it.
///
/// The range is halved again and again; each half's increment is normal around its share of the whole's.
struct BrownianTree: Sendable {
    let range: ClosedRange<Double>
    private let seed: UInt64
    private let source: RandomSource

    init(seed: UInt64, over range: ClosedRange<Double>, source: RandomSource) {
        self.seed = seed
        self.range = range
        self.source = source
    }

    /// Standard normal noise for a step down: the path's increment over it, by its standard deviation.
    ///
    /// - Parameters:
    ///   - count: How many values.
    ///   - sigma: Where the step starts.
    ///   - next: Where it ends, below.
    func noise(count: Int, from sigma: Double, to next: Double) -> [Float] {
        let root = Half(start: rounded(range.lowerBound), end: rounded(range.upperBound), key: 0, depth: 0)
        let start = rounded(min(max(next, root.start), root.end))
        let end = rounded(min(max(sigma, root.start), root.end))
        guard start < end else { return [Float](repeating: 0, count: count) }
        let width = Float((range.upperBound - range.lowerBound).squareRoot())
        let whole = normal(count, SeedSequence(entropy: seed, poolSize: Self.poolSize)).map { $0 * width }
        let deviation = Float(Float(sigma) - Float(next)).squareRoot()
        return increment(of: root, whole, from: start, to: end).map { -$0 / deviation }
    }

    private static let poolSize = 24

    private struct Half {
        let start: Double
        let end: Double
        /// Its place among those of its depth.
        let key: UInt64
        let depth: UInt64
    }

    /// The increment over a part of a half whose own is known.
    private func increment(of half: Half, _ whole: [Float], from start: Double, to end: Double) -> [Float] {
        if start == half.start, end == half.end { return whole }
        let middle = rounded(0.5 * (half.end + half.start))
        let (left, right) = (middle - half.start, half.end - middle)
        let share = 1 / (half.end - half.start)
        let deviation = Float((left * right * share).squareRoot())
        let fresh = normal(
            whole.count,
            SeedSequence(entropy: seed, spawnKey: [half.key, half.depth], poolSize: Self.poolSize))
        let lower = zip(whole, fresh).map { Float(left) * $0 * Float(share) + deviation * $1 }
        func inLower(from start: Double, to end: Double) -> [Float] {
            let child = Half(start: half.start, end: middle, key: 2 * half.key, depth: half.depth + 1)
            return increment(of: child, lower, from: start, to: end)
        }
        func inUpper(from start: Double, to end: Double) -> [Float] {
            let child = Half(start: middle, end: half.end, key: 2 * half.key + 1, depth: half.depth + 1)
            return increment(of: child, zip(whole, lower).map { $0 - $1 }, from: start, to: end)
        }
        if end <= middle { return inLower(from: start, to: end) }
        if start >= middle { return inUpper(from: start, to: end) }
        return zip(inLower(from: start, to: middle), inUpper(from: middle, to: end)).map { $0 + $1 }
    }

    private func normal(_ count: Int, _ sequence: SeedSequence) -> [Float] {
        var generator = source.generator(seed: UInt64(sequence.firstWord))
        return generator.normal(count: count)
    }

    /// To the sixth decimal, which is as far as the range is halved.
    private func rounded(_ level: Double) -> Double {
        // Through the text, as Python rounds: the nearest of what it stands for.
        Double(String(format: "%.6f", level)) ?? level
    }
}
