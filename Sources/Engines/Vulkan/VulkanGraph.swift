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
    private let weights: WeightMemory
    private let values: DeviceBuffer
    private let inputs: DeviceBuffer
    private let results: DeviceBuffer
    private let inputOffsets: [String: Int]
    private let outputs: [(name: String, type: TensorType, offset: Int)]
    private let commands: Commands
    private let device: VulkanDevice
    private let graph: String
    private let isHalf: Bool
    private let calls: [PlacedCall]
    private var timed: (whole: TimedCommands, each: TimedCommands)?

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
        let placed = try WeightMemory(
            lowering.weights, from: weights, to: device, isHalf: isHalf, graph: name,
            stagingByteCount: tuning.stagingByteCount)
        if tuning.isMeasuring {
            let fastest = try ProductMeasurement(of: graph, weights: placed, on: device, tuning: tuning)
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
        let commands = try Commands(device, graph: name)
        self.device = device
        self.graph = name
        self.isHalf = isHalf
        self.weights = placed
        self.values = values
        self.inputs = inputs
        self.results = results
        self.commands = commands
        inputOffsets = lowering.inputOffsets
        outputs = zip(lowering.graph.outputs, lowering.resultOffsets).map { output, offset in
            (output.name, lowering.graph.nodes[output.node].type, offset)
        }
        func address(_ view: View) -> UInt64 {
            let size = lowering.byteCount(of: view.element)
            return switch view.storage {
            case .value(let index): values.address + UInt64(plan.offsets[index] + view.offset * size)
            case .weight(let index): placed.addresses[index] + UInt64(view.offset * size)
            case .input(let offset): inputs.address + UInt64(offset + view.offset * 4)
            case .result(let offset): results.address + UInt64(offset + view.offset * 4)
            case .absent: 0
            }
        }
        var hazards = Hazards(plan, byteCounts: lowering.valueByteCounts)
        let calls = lowering.calls.map { call in
            PlacedCall(
                call: call, addresses: call.operands.map { address($0.view) },
                waits: hazards.isBarrierNeeded(before: call))
        }
        self.calls = calls
        try commands.record(isUsedOnce: false) { () throws(EngineError) in
            for placed in calls {
                if placed.waits { commands.barrier() }
                try commands.dispatch(placed.call, at: placed.addresses)
            }
        }
    }

    func run(_ given: [String: HostTensor]) throws -> [String: HostTensor] {
        write(given)
        try commands.start()
        try commands.finish()
        return read()
    }

    /// Runs twice, with times: of the whole, and of each dispatch, which then waits for the one before.
    func measure(_ given: [String: HostTensor]) throws(EngineError) -> RunTimes {
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

/// What dispatches since the last barrier have read and written: those that have to do with none of it may overlap them.
private struct Hazards {
    private let ranges: [Range<Int>]
    private var read: [Range<Int>] = []
    private var written: [Range<Int>] = []

    init(_ plan: MemoryPlan, byteCounts: [Int]) {
        ranges = zip(plan.offsets, byteCounts).map { $0..<$0 + max($1, 1) }
    }

    mutating func isBarrierNeeded(before call: KernelCall) -> Bool {
        var (reads, writes): ([Range<Int>], [Range<Int>]) = ([], [])
        for operand in call.operands {
            guard case .value(let index) = operand.view.storage else { continue }
            if operand.isWritten { writes.append(ranges[index]) } else { reads.append(ranges[index]) }
        }
        func meet(_ left: [Range<Int>], _ right: [Range<Int>]) -> Bool {
            left.contains { one in right.contains { $0.overlaps(one) } }
        }
        let isNeeded = meet(reads, written) || meet(writes, written) || meet(writes, read)
        if isNeeded { (read, written) = ([], []) }
        read += reads
        written += writes
        return isNeeded
    }
}
