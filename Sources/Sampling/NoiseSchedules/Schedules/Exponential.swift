import Foundation

/// Equally far apart in log σ.
struct ExponentialSchedule: Schedule {
    func sigmas(steps: Int, range: ClosedRange<Double>, trained: TrainedSigmas) -> [Double] {
        evenlySpaced(from: log(range.upperBound), to: log(range.lowerBound), count: steps).map { exp($0) }
    }
}
