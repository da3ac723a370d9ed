import Foundation

/// Equally far apart in σ^(1/ρ): Karras et al., 2022, equation 5.
struct KarrasSchedule: Schedule {
    var rho = 7.0

    func sigmas(steps: Int, range: ClosedRange<Double>, trained: TrainedSigmas) -> [Double] {
        spaced(steps, from: range.upperBound, to: range.lowerBound)
    }

    /// Levels from one to another.
    func spaced(_ count: Int, from high: Double, to low: Double) -> [Double] {
        evenlySpaced(from: pow(high, 1 / rho), to: pow(low, 1 / rho), count: count).map { pow($0, rho) }
    }
}
