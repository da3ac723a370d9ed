/// Whole timesteps, counted down from the last trained by the trained count over the steps: ComfyUI's `simple`.
struct SimpleSchedule: Schedule {
    func sigmas(steps: Int, range: ClosedRange<Double>, trained: TrainedSigmas) -> [Double] {
        let stride = Double(trained.count) / Double(steps)
        return (0..<steps).map { trained.sigmas[max(trained.count - 1 - Int(Double($0) * stride), 0)] }
    }
}
