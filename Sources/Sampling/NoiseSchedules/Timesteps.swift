/// The timesteps to visit, noisiest first, out of those the model was trained with.
///
/// As diffusers spaces them (Lin et al., 2023, table 2), but always exactly `steps` of them: for some counts (61, 103,
/// 121, …) diffusers' trailing spacing appends timestep −1 by an accident of rounding.
struct Timesteps {
    let spacing: TimestepSpacing
    let trainTimesteps: Int
    let stepsOffset: Int
    /// Whether `leading` goes on to the last timestep where the steps do not divide their count.
    private let visitsEveryStride: Bool

    init(_ configuration: SchedulerConfiguration, spacing: TimestepSpacing) {
        self.spacing = configuration.timestepSpacing ?? spacing
        trainTimesteps = configuration.trainTimesteps
        stepsOffset = configuration.stepsOffset
        visitsEveryStride = configuration.visitsEveryStride
    }

    /// Whole timesteps.
    ///
    /// - Throws: ``SamplingError/stepsOutOfRange(steps:maximum:)``,
    ///   ``SamplingError/timestepOutOfRange(timestep:trainTimesteps:steps:stepsOffset:)``.
    func whole(steps: Int) throws -> [Int] {
        try fractional(steps: steps).map { Int($0.rounded(.toNearestOrEven)) }
    }

    /// Timesteps that lie between two of the training's where `linspace` puts them there.
    ///
    /// - Throws: As ``whole(steps:)``.
    func fractional(steps: Int) throws -> [Double] {
        guard (1...trainTimesteps).contains(steps) else {
            throw SamplingError.stepsOutOfRange(steps: steps, maximum: trainTimesteps)
        }
        switch spacing {
        case .leading where visitsEveryStride:
            return stride(from: 0, to: trainTimesteps, by: trainTimesteps / steps).reversed()
                .map { Double(min($0 + stepsOffset, trainTimesteps - 1)) }
        case .leading:
            let last = (steps - 1) * (trainTimesteps / steps) + stepsOffset
            guard last < trainTimesteps else {
                throw SamplingError.timestepOutOfRange(
                    timestep: last, trainTimesteps: trainTimesteps, steps: steps, stepsOffset: stepsOffset)
            }
            return (0..<steps).reversed().map { Double($0 * (trainTimesteps / steps) + stepsOffset) }
        case .linspace: return linspace(count: steps)
        case .trailing:
            // numpy's `arange` goes on by the difference of its first two values, which is rounded once more.
            let last = Double(trainTimesteps)
            let difference = (last - last / Double(steps)) - last
            return (0..<steps).map { (last + Double($0) * difference).rounded(.toNearestOrEven) - 1 }
        }
    }

    /// numpy's `linspace` from the last timestep to 0: the step is rounded before it is multiplied.
    private func linspace(count: Int) -> [Double] {
        guard count > 1 else { return [0] }
        let last = Double(trainTimesteps - 1)
        let step = last / Double(count - 1)
        return (0..<count).reversed().map { $0 == count - 1 ? last : Double($0) * step }
    }

    /// One whole timestep more than steps, of which the last, where the last step ends, is left out: as diffusers'
    /// multistep solvers have it.
    ///
    /// - Throws: As ``whole(steps:)``.
    func intervals(steps: Int) throws -> [Double] {
        let limit = spacing == .leading ? trainTimesteps - 1 : trainTimesteps
        guard (1...max(limit, 1)).contains(steps) else {
            throw SamplingError.stepsOutOfRange(steps: steps, maximum: limit)
        }
        switch spacing {
        case .leading:
            let stride = trainTimesteps / (steps + 1)
            let first = steps * stride + stepsOffset
            guard first < trainTimesteps else {
                throw SamplingError.timestepOutOfRange(
                    timestep: first, trainTimesteps: trainTimesteps, steps: steps, stepsOffset: stepsOffset)
            }
            return (1...steps).reversed().map { Double($0 * stride + stepsOffset) }
        case .linspace:
            return linspace(count: steps + 1).dropLast().map { $0.rounded(.toNearestOrEven) }
        case .trailing:
            return try fractional(steps: steps)
        }
    }
}

extension SchedulerConfiguration {
    /// Timesteps that someone chose, as they are.
    ///
    /// - Throws: ``SamplingError/timestepsNotFalling(_:limit:)``.
    func checked(_ timesteps: [Int]) throws(SamplingError) -> [Int] {
        guard !timesteps.isEmpty, timesteps.allSatisfy({ (0..<trainTimesteps).contains($0) }),
            zip(timesteps, timesteps.dropFirst()).allSatisfy({ $0 > $1 })
        else { throw .timestepsNotFalling(timesteps, limit: trainTimesteps - 1) }
        return timesteps
    }
}
