import EngineInterface
import Sampling
import Synchronization
import TensorGraph

/// The U-Net's deep features kept over some steps (Ma et al., "DeepCache: Accelerating Diffusion Models for Free", 2023,
/// section 3.3): in most steps only the finest level's outer layers are computed, with what the coarser levels gave in
/// the last step that computed them.
public struct DeepCache: Sendable, Hashable, CustomStringConvertible {
    /// From which step to which all is computed again: in one of so many. 1 computes all in each.
    public var interval: Int

    public static let defaultInterval = 3
    public static let intervals = 1...1000

    /// - Parameter interval: From 1 to 1000.
    public init(interval: Int = defaultInterval) { self.interval = interval }

    /// Reads `deep` or `deep:INTERVAL`; nil for other words.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.first == "deep", parts.count <= 2 else { return nil }
        self.init()
        guard parts.count == 2 else { return }
        guard let interval = Int(parts[1]) else { return nil }
        self.interval = interval
    }

    public var description: String { "deep:\(interval)" }
}

/// A U-Net in the steps of one batch, with the deep features of its last whole run.
final class DeepCachedUNet: Sendable {
    private let whole: any CompiledGraph
    private let shallow: any CompiledGraph
    private let interval: Int
    private let kept: Mutex<[Int: Features]> = Mutex([:])

    private struct Features {
        /// The step that they are of, and the timestep that it began at.
        let step: Int
        let timestep: Float
        let context: HostTensor?
        let deep: HostTensor
    }

    /// - Parameters:
    ///   - whole: With an output `deep`.
    ///   - shallow: With an input of that name.
    init(whole: any CompiledGraph, shallow: any CompiledGraph, interval: Int) {
        self.whole = whole
        self.shallow = shallow
        self.interval = interval
    }

    /// The U-Net's prediction.
    ///
    /// All is computed where the features are as many steps old as the interval is long, or of another prompt, or of less
    /// noise than there is now, as some samplers add some again. A sampler that asks more than once a step is answered
    /// in the same way each time.
    ///
    /// - Parameters:
    ///   - pass: Which of the passes that are run alone.
    func prediction(
        _ inputs: [String: HostTensor], timestep: Float, step: Int, pass: Int
    ) async throws -> HostTensor {
        let last = kept.withLock { $0[pass] }
        if let last, last.step < step, step < last.step + interval, timestep <= last.timestep,
            last.context == inputs["context"]
        {
            var inputs = inputs
            inputs["deep"] = last.deep
            return try await shallow.run(inputs).output("prediction")
        }
        let outputs = try await whole.run(inputs)
        let features = Features(
            step: step, timestep: last?.step == step ? max(last?.timestep ?? 0, timestep) : timestep,
            context: inputs["context"], deep: outputs.output("deep"))
        kept.withLock { $0[pass] = features }
        return outputs.output("prediction")
    }
}
