/// Every n-th timestep from 1, n being the trained count over the steps, rounded down: ComfyUI's `ddim_uniform`.
///
/// Where the steps do not divide the trained count there are more levels than steps.
struct DDIMUniformSchedule: Schedule {
    func sigmas(steps: Int, range: ClosedRange<Double>, trained: TrainedSigmas) -> [Double] {
        guard trained.count > 1 else { return [trained.largest] }
        return stride(from: 1, to: trained.count, by: max(trained.count / steps, 1)).reversed()
            .map { trained.sigmas[$0] }
    }
}
