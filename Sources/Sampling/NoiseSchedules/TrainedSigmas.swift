import Foundation

/// The noise levels of the training timesteps, rising, and what lies between them, in double precision.
public struct TrainedSigmas: Sendable, Hashable {
    /// σ of each training timestep.
    let sigmas: [Double]
    private let logarithms: [Double]

    init(_ schedule: NoiseSchedule) {
        sigmas = schedule.sigmas.map { Double($0) }
        logarithms = schedule.sigmas.map { Double(log($0)) }
    }

    var count: Int { sigmas.count }
    var smallest: Double { sigmas[0] }
    var largest: Double { sigmas[count - 1] }

    /// Linear in sigma between two timesteps, as diffusers has it.
    func sigma(at timestep: Double) -> Double {
        let (low, weight) = place(of: timestep)
        guard weight > 0 else { return sigmas[low] }
        return (sigmas[low + 1] - sigmas[low]) * weight + sigmas[low]
    }

    /// Linear in log sigma between two timesteps, as k-diffusion has it.
    func logarithmicSigma(at timestep: Double) -> Double {
        let (low, weight) = place(of: timestep)
        guard weight > 0 else { return sigmas[low] }
        return exp((1 - weight) * logarithms[low] + weight * logarithms[low + 1])
    }

    /// Linear in log α between two timesteps, as UniPC's own program has it: α = 1/√(σ²+1).
    func sigmaLinearInLogAlpha(at timestep: Double) -> Double {
        let (low, weight) = place(of: timestep)
        guard weight > 0 else { return sigmas[low] }
        func logarithm(_ sigma: Double) -> Double { log1p(sigma * sigma) }
        return expm1(
            (1 - weight) * logarithm(sigmas[low]) + weight * logarithm(sigmas[low + 1])
        ).squareRoot()
    }

    /// The timestep of a noise level, linear in log sigma between two.
    func timestep(at sigma: Double) -> Double {
        guard count > 1 else { return 0 }
        let logarithm = log(max(sigma, 1e-10))
        let low = min(max((logarithms.firstIndex { $0 > logarithm } ?? count) - 1, 0), count - 2)
        let weight = (logarithms[low] - logarithm) / (logarithms[low] - logarithms[low + 1])
        return Double(low) + min(max(weight, 0), 1)
    }

    /// The timestep below, and how far it is to the next.
    private func place(of timestep: Double) -> (low: Int, weight: Double) {
        let position = min(max(timestep, 0), Double(count - 1))
        let low = Int(position)
        return (low, low + 1 < count ? position - Double(low) : 0)
    }
}

/// `count` numbers from one to another, equally far apart; one number is the first.
func evenlySpaced(from first: Double, to last: Double, count: Int) -> [Double] {
    (0..<count).map { index in
        count == 1 ? first : first + Double(index) / Double(count - 1) * (last - first)
    }
}
