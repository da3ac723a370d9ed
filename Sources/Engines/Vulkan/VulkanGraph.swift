import Checkpoints
import EngineInterface
import TensorGraph

/// A compiled graph: its weights on the device, and one recording of its dispatches that each run submits again.
actor VulkanGraph: CompiledGraph {
    nonisolated let unownedExecutor: UnownedSerialExecutor
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

    func run(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
        try graph.check(inputs)
        try Task.checkCancellation()
        let values = try program.run(inputs)
        // The device ends what it was given, however long ago the task was cancelled.
        try Task.checkCancellation()
        return values
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
                .fastest(for: lowering.calls.compactMap(\.product))
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
        try commands.record(isUsedOnce: false) { () throws(EngineError) in
            for call in lowering.calls {
                if hazards.isBarrierNeeded(before: call) { commands.barrier() }
                try commands.dispatch(call, at: call.operands.map { address($0.view) })
            }
        }
    }

    func run(_ given: [String: HostTensor]) throws -> [String: HostTensor] {
        guard let inputs = inputs.pointer, let results = results.pointer else {
            preconditionFailure("inputs and results are seen by the CPU")
        }
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
        try commands.start()
        try commands.finish()
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
