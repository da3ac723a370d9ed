import Checkpoints
import EngineInterface
import TensorGraph

/// A graph's dispatches, with all that they read and write. For one thread at a time.
final class Program: @unchecked Sendable {
    private let weights: any ProgramWeights
    private let values: DeviceBuffer
    private let inputs: DeviceBuffer
    private let results: DeviceBuffer
    private let inputOffsets: [String: Int]
    private let outputs: [(name: String, type: TensorType, offset: Int)]
    private let device: VulkanDevice
    private let graph: String
    private let isHalf: Bool
    private let calls: [PlacedCall]
    /// Whether nothing is computed any more on the device that it was made for.
    var isLost: Bool { device.isLost }
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
        let name = graph.name
        var lowering = try Lowering(graph, isHalf: isHalf, tuning: tuning)
        let resident =
            try tuning.streamedByteCount == nil
            ? WeightMemory(
                lowering.weights, from: weights, to: device, isHalf: isHalf, graph: name,
                stagingByteCount: tuning.stagingByteCount) : nil
        if tuning.isMeasuring {
            let fastest = try Self.fastestProducts(lowering, of: graph, resident, on: device, tuning: tuning)
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
        let weights: any ProgramWeights =
            if let resident {
                try ResidentWeights(
                    resident, calls: lowering.calls, operationCount: tuning.submittedOperationCount, device,
                    graph: name)
            } else {
                try WeightStream(
                    lowering, from: weights, to: device, graph: name,
                    byteCount: tuning.streamedByteCount ?? 0,
                    operationCount: tuning.submittedOperationCount,
                    stagingByteCount: tuning.stagingByteCount)
            }
        func address(_ view: View, in section: Int) -> UInt64 {
            let size = lowering.byteCount(of: view.element)
            return switch view.storage {
            case .value(let index): values.address + UInt64(plan.offsets[index] + view.offset * size)
            case .weight(let index):
                weights.address(of: index, in: section) + UInt64(view.offset * size)
            case .input(let offset): inputs.address + UInt64(offset + view.offset * 4)
            case .result(let offset): results.address + UInt64(offset + view.offset * 4)
            case .absent: 0
            }
        }
        var hazards = Hazards(plan, byteCounts: lowering.valueByteCounts)
        let calls = weights.sectionCalls.enumerated().flatMap { section, range in
            lowering.calls[range].map { call in
                PlacedCall(
                    call: call, addresses: call.operands.map { address($0.view, in: section) },
                    waits: hazards.isBarrierNeeded(before: call))
            }
        }
        try weights.record { (commands, range) throws(EngineError) in
            for placed in calls[range] {
                if placed.waits { commands.barrier() }
                try commands.dispatch(placed.call, at: placed.addresses)
            }
        }
        self.device = device
        self.graph = name
        self.isHalf = isHalf
        self.weights = weights
        self.values = values
        self.inputs = inputs
        self.results = results
        self.calls = calls
        inputOffsets = lowering.inputOffsets
        outputs = zip(lowering.graph.outputs, lowering.resultOffsets).map { output, offset in
            (output.name, lowering.graph.nodes[output.node].type, offset)
        }
    }

    /// How to divide each product whose fastest way is not known yet, as measured on the device.
    private static func fastestProducts(
        _ lowering: Lowering, of graph: Graph, _ weights: WeightMemory?, on device: VulkanDevice,
        tuning: Tuning
    ) throws -> [ProductShape: ProductChoice] {
        // For their times, all weights may be one.
        let sizes = lowering.weights.map { $0.byteCount(isHalf: lowering.isHalf) }
        let placeholder =
            try weights == nil
            ? DeviceBuffer(byteCount: sizes.max() ?? 0, in: .device, of: device, graph: graph.name) : nil
        let addresses = weights?.addresses ?? sizes.map { _ in placeholder?.address ?? 0 }
        return try ProductMeasurement(of: graph, weights: addresses, on: device, tuning: tuning)
            .fastest(for: lowering.calls.compactMap(\.division))
    }

    func run(_ given: [String: HostTensor]) throws -> [String: HostTensor] {
        write(given)
        try weights.run()
        return read()
    }

    /// Runs twice, with times: of the whole, and of each dispatch, which then waits for the one before.
    func measure(_ given: [String: HostTensor]) throws(EngineError) -> RunTimes {
        guard weights is ResidentWeights else {
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
