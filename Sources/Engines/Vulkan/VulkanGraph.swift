import Checkpoints
import EngineInterface
import TensorGraph

/// A compiled graph: its weights on the device, and one recording of its dispatches that each run submits again.
package actor VulkanGraph: CompiledGraph {
    package nonisolated let unownedExecutor: UnownedSerialExecutor
    private let executor: QueueExecutor
    private let graph: Graph
    private let program: Program

    init(_ graph: Graph, weights: any WeightStorage, device: VulkanDevice, isHalf: Bool, tuning: Tuning)
        async throws
    {
        executor = QueueExecutor(label: "easel.vulkan.\(graph.name)")
        unownedExecutor = executor.asUnownedSerialExecutor()
        self.graph = graph
        try graph.verify()
        program = try await executor.run {
            try Program(graph, weights: weights, device: device, isHalf: isHalf, tuning: tuning)
        }
    }

    package func run(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
        try graph.check(inputs)
        try Task.checkCancellation()
        let values = try program.run(inputs)
        // The device ends what it was given, however long ago the task was cancelled.
        try Task.checkCancellation()
        return values
    }

    /// Two runs, timed on the device: one as it usually is, and one whose dispatches wait for each other.
    ///
    /// - Throws: ``EngineError``, also for a device that does not tell the time.
    package func measure(_ inputs: [String: HostTensor]) async throws -> RunTimes {
        try graph.check(inputs)
        return try program.measure(inputs)
    }
}
