/// Timesteps equally far apart from the last trained to the first: k-diffusion's `get_sigmas`.
struct NormalSchedule: Schedule {
    func sigmas(steps: Int, range: ClosedRange<Double>, trained: TrainedSigmas) -> [Double] {
        evenlySpaced(from: Double(trained.count - 1), to: 0, count: steps)
            .map { trained.logarithmicSigma(at: $0) }
    }
}
