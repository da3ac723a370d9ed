import Foundation

/// A power of the way through log σ, as k-diffusion's `get_sigmas_polyexponential`; with ρ 1 it is the exponential one.
struct PolyexponentialSchedule: Schedule {
    var rho = 1.0

    func sigmas(steps: Int, range: ClosedRange<Double>, trained: TrainedSigmas) -> [Double] {
        let (low, high) = (log(range.lowerBound), log(range.upperBound))
        return evenlySpaced(from: 1, to: 0, count: steps).map { exp(pow($0, rho) * (high - low) + low) }
    }
}
