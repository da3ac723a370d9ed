import Foundation

/// Equally far apart in arctan σ: Sabour et al., "Align Your Steps", 2024, theorem 3.1.
///
/// ComfyUI ends at the smallest level and then 0. AUTOMATIC1111 ends at the smallest level, with one level more.
struct KLOptimalSchedule: Schedule {
    var convention = ScheduleConvention.comfyUI

    var endsAtSmallest: Bool { convention == .automatic1111 }

    func sigmas(steps: Int, range: ClosedRange<Double>, trained: TrainedSigmas) -> [Double] {
        let levels = convention == .automatic1111 ? steps + 1 : steps
        return evenlySpaced(from: atan(range.upperBound), to: atan(range.lowerBound), count: levels)
            .prefix(steps).map { tan($0) }
    }
}
