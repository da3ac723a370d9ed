/// Half of the steps small and equal, then ever larger ones: the schedule of Mochi and LTX-Video, and ComfyUI's
/// `linear_quadratic`.
struct LinearQuadraticSchedule: Schedule {
    /// How much of the way the equal steps go.
    var threshold = 0.025

    func sigmas(steps: Int, range: ClosedRange<Double>, trained: TrainedSigmas) -> [Double] {
        guard steps > 1 else { return [trained.largest] }
        let linear = steps / 2
        let quadratic = Double(steps - linear)
        let rest = Double(linear) - threshold * Double(steps)
        let square = rest / (Double(linear) * quadratic * quadratic)
        let slope = threshold / Double(linear) - 2 * rest / (quadratic * quadratic)
        let constant = square * Double(linear * linear)
        return (0..<steps).map { index in
            let place = Double(index)
            let way =
                index < linear
                ? place * threshold / Double(linear) : square * place * place + slope * place + constant
            return trained.largest * (1 - way)
        }
    }
}
