import Checkpoints
import EngineInterface
import TensorGraph

/// A compiled graph: its weights on the device, and one recording of its dispatches that each run submits again; after the
/// device was lost, the next run makes both anew.
package actor VulkanGraph: CompiledGraph {
    package nonisolated let unownedExecutor: UnownedSerialExecutor
    private let executor: QueueExecutor
    private let graph: Graph
    private let weights: any WeightStorage
    private let opened: OpenDevice
    private let isHalf: Bool
    private let tuning: Tuning
    /// nil after the device was lost and before it could be opened again.
    private var program: Program?

    init(_ graph: Graph, weights: any WeightStorage, opened: OpenDevice, isHalf: Bool, tuning: Tuning)
        async throws
    {
        executor = QueueExecutor(label: "easel.vulkan.\(graph.name)")
        unownedExecutor = executor.asUnownedSerialExecutor()
        self.graph = graph
        self.weights = weights
        self.opened = opened
        self.isHalf = isHalf
        self.tuning = tuning
        try graph.verify()
        _ = try await usableProgram()
    }

    private func usableProgram() throws -> Program {
        if let program, !program.isLost { return program }
        // What it held of the device's memory is given back before as much is asked for.
        program = nil
        let program = try Program(
            graph, weights: weights, device: opened.usable(), isHalf: isHalf, tuning: tuning)
        self.program = program
        return program
    }

    package func run(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
        try graph.check(inputs)
        try Task.checkCancellation()
        let values = try usableProgram().run(inputs)
        // The device ends what it was given, however long ago the task was cancelled.
        try Task.checkCancellation()
        return values
    }

    /// Two runs, timed on the device: one as it usually is, and one whose dispatches wait for each other.
    ///
    /// - Throws: ``EngineError``, also for a device that does not tell the time.
    package func measure(_ inputs: [String: HostTensor]) async throws -> RunTimes {
        try graph.check(inputs)
        return try usableProgram().measure(inputs)
    }
}
