import Foundation

/// Ten steps optimised for Stable Diffusion 1.5 and what is trained like it: Sabour et al., "Align Your Steps", 2024;
/// other counts lie between them, linear in log σ.
///
/// ComfyUI has the smallest level replaced by 0; AUTOMATIC1111 puts 0 after it.
struct AlignYourStepsSchedule: Schedule {
    var convention = ScheduleConvention.comfyUI

    private static let optimal = [
        14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029,
    ]

    func sigmas(steps: Int, range: ClosedRange<Double>, trained: TrainedSigmas) -> [Double] {
        let levels = convention == .automatic1111 ? steps : steps + 1
        let last = Self.optimal.count - 1
        let logarithms = Self.optimal.map { log($0) }
        // Positions from the smallest, since a single level is the smallest.
        return evenlySpaced(from: 0, to: Double(last), count: levels).reversed().prefix(steps).map {
            position in
            let place = Double(last) - position
            let low = min(Int(place), last - 1)
            let weight = place - Double(low)
            return exp((1 - weight) * logarithms[low] + weight * logarithms[low + 1])
        }
    }
}
