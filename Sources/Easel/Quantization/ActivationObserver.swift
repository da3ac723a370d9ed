import Checkpoints
import EngineInterface
import Synchronization
import TensorGraph

/// A network that takes note of what its layers are given, and otherwise gives what it always does.
final class ActivationObserver: CompiledGraph {
    private let graph: any CompiledGraph
    /// The layers in the order of the outputs' elements.
    private let layers: [String]
    private let seen = Mutex(ActivationRanges())

    /// - Parameter weights: The names in the order of the outputs `lowest` and `highest` of the graph.
    init(_ graph: any CompiledGraph, weights: [String]) {
        self.graph = graph
        layers = weights.map { $0.hasSuffix(".weight") ? String($0.dropLast(".weight".count)) : $0 }
    }

    /// What was seen in all runs.
    var ranges: ActivationRanges { seen.withLock { $0 } }

    func run(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
        var outputs = try await graph.run(inputs)
        guard let lowest = outputs.removeValue(forKey: "lowest")?.floats,
            let highest = outputs.removeValue(forKey: "highest")?.floats
        else { return outputs }
        seen.withLock { seen in
            for (index, layer) in layers.enumerated() where lowest[index].isFinite && highest[index].isFinite
            {
                seen.add(.init(lowest: lowest[index], highest: highest[index]), of: layer)
            }
        }
        return outputs
    }
}
