import Foundation

/// The noise levels of the training timesteps, and what lies between them, in double precision.
struct TrainedSigmas {
    private let sigmas: [Double]
    private let logarithms: [Double]

    init(_ schedule: NoiseSchedule) {
        sigmas = schedule.sigmas.map { Double($0) }
        logarithms = schedule.sigmas.map { Double(log($0)) }
    }

    /// Linear in sigma between two timesteps.
    func sigma(at timestep: Double) -> Double {
        let position = min(max(timestep, 0), Double(sigmas.count - 1))
        let low = Int(position)
        guard low + 1 < sigmas.count else { return sigmas[low] }
        return (sigmas[low + 1] - sigmas[low]) * (position - Double(low)) + sigmas[low]
    }

    /// The timestep of a noise level, linear in log sigma between two.
    func timestep(at sigma: Double) -> Double {
        guard sigmas.count > 1 else { return 0 }
        let logarithm = log(max(sigma, 1e-10))
        let low = min(
            max((logarithms.firstIndex { $0 > logarithm } ?? sigmas.count) - 1, 0), sigmas.count - 2)
        let weight = (logarithms[low] - logarithm) / (logarithms[low] - logarithms[low + 1])
        return Double(low) + min(max(weight, 0), 1)
    }
}

/// Noise levels equally far apart in σ^(1/7): Karras et al., 2022, equation 5.
///
/// - Returns: `steps` levels, from the largest to the smallest.
func karrasSigmas(from largest: Double, to smallest: Double, steps: Int) -> [Double] {
    let (start, end) = (pow(largest, 1 / 7.0), pow(smallest, 1 / 7.0))
    return (0..<steps).map { index in
        pow(start + (steps == 1 ? 0 : Double(index) / Double(steps - 1)) * (end - start), 7)
    }
}
