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

/// A graph's dispatches, with all that they read and write. For one thread at a time.
final class Program: @unchecked Sendable {
    private let weights: Weights
    private let values: DeviceBuffer
    private let inputs: DeviceBuffer
    private let results: DeviceBuffer
    private let inputOffsets: [String: Int]
    private let outputs: [(name: String, type: TensorType, offset: Int)]
    private let device: VulkanDevice
    private let graph: String
    private let isHalf: Bool
    private let calls: [PlacedCall]
    private var timed: (whole: TimedCommands, each: TimedCommands)?

    /// Where the weights are, and what is submitted in each run.
    private enum Weights {
        case resident(WeightMemory, Commands)
        case streamed(WeightStream)
    }

    /// A dispatch whose operands have their addresses.
    private struct PlacedCall {
        let call: KernelCall
        let addresses: [UInt64]
        /// Whether those before it are waited for.
        let waits: Bool
    }

    /// Commands that write when they begin and end.
    private struct TimedCommands {
        let commands: Commands
        let stamps: TimeStamps
    }

    init(
        _ graph: Graph, weights: any WeightStorage, device: VulkanDevice, isHalf: Bool, tuning: Tuning
    ) throws {
        var lowering = try Lowering(graph, isHalf: isHalf, tuning: tuning)
        let name = graph.name
        var resident: WeightMemory?
        if tuning.streamedByteCount == nil {
            resident = try WeightMemory(
                lowering.weights, from: weights, to: device, isHalf: isHalf, graph: name,
                stagingByteCount: tuning.stagingByteCount)
        }
        if tuning.isMeasuring {
            // For their times, all weights may be one.
            let sizes = lowering.weights.map { $0.byteCount(isHalf: isHalf) }
            let placeholder =
                try resident == nil
                ? DeviceBuffer(byteCount: sizes.max() ?? 0, in: .device, of: device, graph: name) : nil
            let addresses = resident?.addresses ?? sizes.map { _ in placeholder?.address ?? 0 }
            let fastest = try ProductMeasurement(of: graph, weights: addresses, on: device, tuning: tuning)
                .fastest(for: lowering.calls.compactMap(\.division))
            if !fastest.isEmpty {
                tuning.products.keep(fastest)
                lowering = try Lowering(graph, isHalf: isHalf, tuning: tuning)
            }
        }
        try device.prepare(Set(lowering.calls.map(\.kernel)), graph: name)
        let plan = MemoryPlan(lowering.calls, byteCounts: lowering.valueByteCounts)
        func buffer(_ byteCount: Int, _ place: DeviceBuffer.Place) throws -> DeviceBuffer {
            try DeviceBuffer(byteCount: byteCount, in: place, of: device, graph: name)
        }
        let values = try buffer(plan.byteCount, .device)
        let inputs = try buffer(lowering.inputByteCount, .staging)
        let results = try buffer(lowering.resultByteCount, .results)
        self.device = device
        self.graph = name
        self.isHalf = isHalf
        self.values = values
        self.inputs = inputs
        self.results = results
        inputOffsets = lowering.inputOffsets
        outputs = zip(lowering.graph.outputs, lowering.resultOffsets).map { output, offset in
            (output.name, lowering.graph.nodes[output.node].type, offset)
        }
        let stream = try tuning.streamedByteCount.map {
            try WeightStream(
                lowering, from: weights, to: device, graph: name, byteCount: $0,
                stagingByteCount: tuning.stagingByteCount)
        }
        func address(_ view: View, in section: Int) -> UInt64 {
            let size = lowering.byteCount(of: view.element)
            return switch view.storage {
            case .value(let index): values.address + UInt64(plan.offsets[index] + view.offset * size)
            case .weight(let index):
                (resident?.addresses[index] ?? stream?.address(of: index, in: section) ?? 0)
                    + UInt64(view.offset * size)
            case .input(let offset): inputs.address + UInt64(offset + view.offset * 4)
            case .result(let offset): results.address + UInt64(offset + view.offset * 4)
            case .absent: 0
            }
        }
        var hazards = Hazards(plan, byteCounts: lowering.valueByteCounts)
        let sections = stream?.sections.map(\.calls) ?? [lowering.calls.indices]
        let calls = sections.enumerated().flatMap { section, range in
            lowering.calls[range].map { call in
                PlacedCall(
                    call: call, addresses: call.operands.map { address($0.view, in: section) },
                    waits: hazards.isBarrierNeeded(before: call))
            }
        }
        self.calls = calls
        func dispatch(_ commands: Commands, _ range: Range<Int>) throws(EngineError) {
            for placed in calls[range] {
                if placed.waits { commands.barrier() }
                try commands.dispatch(placed.call, at: placed.addresses)
            }
        }
        if let stream {
            try stream.record(dispatch)
            self.weights = .streamed(stream)
        } else if let resident {
            let commands = try Commands(device, graph: name)
            try commands.record(isUsedOnce: false) { () throws(EngineError) in
                try dispatch(commands, calls.indices)
            }
            self.weights = .resident(resident, commands)
        } else {
            preconditionFailure("weights are in one place or the other")
        }
    }

    func run(_ given: [String: HostTensor]) throws -> [String: HostTensor] {
        write(given)
        switch weights {
        case .resident(_, let commands):
            try commands.start()
            try commands.finish()
        case .streamed(let stream): try stream.run()
        }
        return read()
    }

    /// Runs twice, with times: of the whole, and of each dispatch, which then waits for the one before.
    func measure(_ given: [String: HostTensor]) throws(EngineError) -> RunTimes {
        guard case .resident = weights else {
            throw .failed(engine: "vulkan", graph: graph, reason: "streamed weights have no times")
        }
        if timed == nil { timed = (try record(isEachTimed: false), try record(isEachTimed: true)) }
        guard let timed else { preconditionFailure("timed commands were just recorded") }
        write(given)
        func intervals(_ recorded: TimedCommands) throws(EngineError) -> [Double] {
            try recorded.commands.start()
            try recorded.commands.finish()
            return try recorded.stamps.intervals()
        }
        let whole = try intervals(timed.whole)
        let each = try intervals(timed.each)
        return RunTimes(
            seconds: whole[0],
            calls: zip(calls, each).map { placed, seconds in
                KernelTime(placed.call, seconds: seconds) { $0 == .number && isHalf ? 2 : 4 }
            })
    }

    private func record(isEachTimed: Bool) throws(EngineError) -> TimedCommands {
        let commands = try Commands(device, graph: graph)
        let stamps = try TimeStamps(count: isEachTimed ? calls.count + 1 : 2, device, graph: graph)
        try commands.record(isUsedOnce: false) { () throws(EngineError) in
            commands.reset(stamps)
            commands.write(0, of: stamps)
            for (index, placed) in calls.enumerated() {
                if placed.waits || isEachTimed { commands.barrier() }
                try commands.dispatch(placed.call, at: placed.addresses)
                if isEachTimed { commands.write(index + 1, of: stamps) }
            }
            if !isEachTimed { commands.write(1, of: stamps) }
        }
        return TimedCommands(commands: commands, stamps: stamps)
    }

    private func write(_ given: [String: HostTensor]) {
        guard let inputs = inputs.pointer else { preconditionFailure("inputs are written by the CPU") }
        for (name, tensor) in given {
            guard let offset = inputOffsets[name] else { continue }
            func copy(_ bytes: UnsafeRawBufferPointer) {
                UnsafeMutableRawBufferPointer(start: inputs + offset, count: bytes.count)
                    .copyMemory(from: bytes)
            }
            switch tensor.elements {
            case .float32(let values): values.withUnsafeBytes(copy)
            case .int32(let values): values.withUnsafeBytes(copy)
            }
        }
    }

    private func read() -> [String: HostTensor] {
        guard let results = results.pointer else { preconditionFailure("results are read by the CPU") }
        var values: [String: HostTensor] = [:]
        for output in outputs {
            func read<Element>(_: Element.Type) -> [Element] {
                let count = output.type.shape.count
                return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
                    UnsafeMutableRawBufferPointer(buffer).copyMemory(
                        from: UnsafeRawBufferPointer(
                            start: results + output.offset, count: count * MemoryLayout<Element>.size))
                    initialized = count
                }
            }
            values[output.name] =
                output.type.elementType == .int32
                ? HostTensor(read(Int32.self), shape: output.type.shape)
                : HostTensor(read(Float.self), shape: output.type.shape)
        }
        return values
    }
}
