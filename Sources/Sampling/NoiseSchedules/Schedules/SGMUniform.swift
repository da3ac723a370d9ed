/// Timesteps equally far apart from the last trained, with the first trained left for the end: as Stability's
/// generative-models spaces them, and ComfyUI's and AUTOMATIC1111's `sgm_uniform`.
struct SGMUniformSchedule: Schedule {
    func sigmas(steps: Int, range: ClosedRange<Double>, trained: TrainedSigmas) -> [Double] {
        evenlySpaced(from: Double(trained.count - 1), to: 0, count: steps + 1).dropLast()
            .map { trained.logarithmicSigma(at: $0) }
    }
}
