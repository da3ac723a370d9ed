/// How noise levels are spread between noise and picture.
protocol Schedule: Sendable {
    /// Whether the last step ends at the range's smallest level, not at 0.
    var endsAtSmallest: Bool { get }

    /// The noise levels that steps start from, falling; the end of the last step is not among them.
    ///
    /// - Parameters:
    ///   - steps: From 1; as many levels, where the rule does not say otherwise.
    ///   - range: The noise levels to stay within; those that go by the training's timesteps use `trained` instead.
    ///   - trained: The levels that the model was trained with.
    func sigmas(steps: Int, range: ClosedRange<Double>, trained: TrainedSigmas) -> [Double]
}

extension Schedule {
    var endsAtSmallest: Bool { false }
}

/// Whose definition is followed where programs that use the same name disagree.
public enum ScheduleConvention: String, Sendable, Hashable, CaseIterable {
    case diffusers, automatic1111, comfyUI
    /// ComfyUI's definitions; no sampler leaves out a level.
    case stableDiffusionCpp
}
