import Foundation

/// Quantiles of a beta distribution, so that most levels lie near both ends: Lee et al., "Beta Sampling is All You
/// Need", 2024.
///
/// AUTOMATIC1111 and diffusers take quantiles from 1 down to 0 and spread sigma by them; ComfyUI leaves out the last
/// and spreads whole timesteps, each once.
struct BetaQuantileSchedule: Schedule {
    var alpha = 0.6
    var beta = 0.6
    var convention = ScheduleConvention.diffusers

    func sigmas(steps: Int, range: ClosedRange<Double>, trained: TrainedSigmas) -> [Double] {
        let distribution = BetaDistribution(alpha: alpha, beta: beta)
        guard convention == .comfyUI || convention == .stableDiffusionCpp else {
            return evenlySpaced(from: 1, to: 0, count: steps).map {
                range.lowerBound + distribution.quantile($0) * (range.upperBound - range.lowerBound)
            }
        }
        var timesteps: [Int] = []
        for index in 0..<steps {
            let quantile = distribution.quantile(1 - Double(index) / Double(steps))
            let timestep = Int((quantile * Double(trained.count - 1)).rounded(.toNearestOrEven))
            if timesteps.last != timestep { timesteps.append(timestep) }
        }
        return timesteps.map { trained.sigmas[$0] }
    }
}

/// The beta distribution on 0…1, with both parameters above 0.
struct BetaDistribution {
    let alpha: Double
    let beta: Double

    /// The x that a share of the distribution lies below.
    ///
    /// By bisection to the last bit: some fifty evaluations, a few levels a request.
    func quantile(_ share: Double) -> Double {
        guard share > 0 else { return 0 }
        guard share < 1 else { return 1 }
        var (low, high) = (0.0, 1.0)
        while true {
            let middle = (low + high) / 2
            guard middle > low, middle < high else { return middle }
            if shareBelow(middle) < share { low = middle } else { high = middle }
        }
    }

    /// The regularised incomplete beta function Iₓ(α, β).
    func shareBelow(_ x: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        // The continued fraction converges fast on the near side of the mean; the other side follows by symmetry.
        if x > (alpha + 1) / (alpha + beta + 2) {
            return 1 - BetaDistribution(alpha: beta, beta: alpha).shareBelow(1 - x)
        }
        let logFactor =
            alpha * log(x) + beta * log1p(-x) + lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta)
        return exp(logFactor) * continuedFraction(x) / alpha
    }

    /// Abramowitz and Stegun, 26.5.8, evaluated forwards by Lentz's method.
    private func continuedFraction(_ x: Double) -> Double {
        func nonzero(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
        var numerator = 1.0
        var denominator = 1 / nonzero(1 - (alpha + beta) * x / (alpha + 1))
        var result = denominator
        for index in 1...1000 {
            let m = Double(index)
            let even = m * (beta - m) * x / ((alpha + 2 * m - 1) * (alpha + 2 * m))
            denominator = 1 / nonzero(1 + even * denominator)
            numerator = nonzero(1 + even / numerator)
            result *= denominator * numerator
            let odd =
                -(alpha + m) * (alpha + beta + m) * x / ((alpha + 2 * m) * (alpha + 2 * m + 1))
            denominator = 1 / nonzero(1 + odd * denominator)
            numerator = nonzero(1 + odd / numerator)
            let change = denominator * numerator
            result *= change
            if abs(change - 1) < 1e-16 { break }
        }
        return result
    }
}
