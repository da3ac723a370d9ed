import Checkpoints
import EngineInterface
import TensorGraph

/// A network of which one part at a time is in memory: in each run, each part is compiled, run and let go, so that its
/// weights are read from disk again, or from what the system keeps of the file.
///
/// The values that parts hand on are `float32`, as in the network's inputs.
actor PartwiseGraph: CompiledGraph {
    private let parts: [Graph]
    private let weights: any WeightStorage
    private let engine: any Engine
    private let precision: Precision
    private let outputs: [String]
    private var before: Task<[String: HostTensor], any Error>?

    /// - Parameter limit: How many numbers of weights a part may have.
    init(_ graph: Graph, weights: any WeightStorage, engine: any Engine, precision: Precision, limit: Int) {
        parts = graph.divided(at: graph.cuts(limitingWeightsTo: limit))
        outputs = graph.outputs.map(\.name)
        self.weights = weights
        self.engine = engine
        self.precision = precision
    }

    func run(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
        // Runs do not overlap.
        let run = Task { [before] in
            _ = await before?.result
            return try await runParts(inputs)
        }
        before = run
        return try await withTaskCancellationHandler {
            try await run.value
        } onCancel: {
            run.cancel()
        }
    }

    private func runParts(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
        var values = inputs
        for (index, part) in parts.enumerated() {
            try Task.checkCancellation()
            let given = part.inputs.compactMap { input in values[input.name].map { (input.name, $0) } }
            let results = try await engine.compile(part, weights: weights, precision: precision)
                .run(Dictionary(given) { first, _ in first })
            let readLater = Set(parts[(index + 1)...].flatMap { $0.inputs.map(\.name) } + outputs)
            values = values.merging(results) { $1 }.filter { readLater.contains($0.key) }
        }
        return values.filter { outputs.contains($0.key) }
    }
}
