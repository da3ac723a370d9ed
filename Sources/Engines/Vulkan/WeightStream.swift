import Checkpoints
import EngineInterface

/// Weights that stay in the machine's memory, as the kernels want them: while the device computes one section of a graph,
/// those of the next one come to the other of two slots in its own memory.
final class WeightStream: ProgramWeights {
    /// Dispatches that follow each other, and the weights that they read.
    struct Section: Equatable {
        var calls: Range<Int>
        /// Where each weight is in a slot.
        var offsets: [Int: Int] = [:]
        var byteCount = 0
    }

    var sectionCalls: [Range<Int>] { sections.map(\.calls) }

    private let sections: [Section]
    private let device: VulkanDevice
    private let slots: [DeviceBuffer]
    /// Where each section's weights are in the machine's memory.
    private let places: [(buffer: DeviceBuffer, offset: Int)]
    private let copies: [Commands]
    private let computations: [Commands]
    private let copied: TimelineSemaphore
    private let computed: TimelineSemaphore
    /// How many sections were begun before.
    private var begun: UInt64 = 0

    /// Brings the weights to the machine's memory, through the device, which puts them into their precision and order.
    ///
    /// - Parameters:
    ///   - byteCount: What both slots take together, unless one dispatch needs more.
    ///   - operationCount: The multiplications and additions of one submission, unless one dispatch has more.
    /// - Throws: ``EngineError``.
    init(
        _ lowering: Lowering, from weights: any WeightStorage, to device: VulkanDevice, graph: String,
        byteCount: Int, operationCount: Int, stagingByteCount: Int
    ) throws {
        let isHalf = lowering.isHalf
        let byteCounts = lowering.weights.map { $0.byteCount(isHalf: isHalf) }
        let sections = Self.sections(
            lowering.calls, byteCounts: byteCounts, slotByteCount: byteCount / 2,
            operationCount: operationCount)
        self.sections = sections
        self.device = device
        let slotByteCount = sections.map(\.byteCount).max() ?? 0
        let slots = try (0..<2).map { _ in
            try DeviceBuffer(
                byteCount: slotByteCount, in: .device, of: device, graph: graph, isCopiedBeside: true)
        }
        self.slots = slots

        let places = try DeviceBuffer.places(
            for: sections.map(\.byteCount), in: .staging, of: device, graph: graph, isCopiedBeside: true)
        self.places = places

        let mapped = try weights.map(Set(lowering.weights.flatMap(\.source.names)), additionalBytes: 0)
        let back = try Commands(device, isTransfer: true, graph: graph)
        var upload = try WeightUpload(
            device, isHalf: isHalf, graph: graph, stagingByteCount: stagingByteCount)
        // Where a weight cannot be read, the device is still at work on those before.
        defer { withExtendedLifetime((slots, places)) { upload.waitUntilIdle() } }
        for (section, place) in zip(sections, places) {
            for (weight, offset) in section.offsets {
                try upload.add(
                    lowering.weights[weight], of: weights, mapped, to: slots[0].address + UInt64(offset))
            }
            try upload.finish()
            try back.record(isUsedOnce: true) { () throws(EngineError) in
                back.copy(section.byteCount, from: (slots[0], 0), to: place)
            }
            try back.start()
            try back.finish()
        }
        try mapped.validate()
        mapped.releaseFilePages()

        copies = try sections.map { _ in try Commands(device, isTransfer: true, graph: graph) }
        computations = try sections.map { _ in try Commands(device, graph: graph) }
        copied = try TimelineSemaphore(device, graph: graph)
        computed = try TimelineSemaphore(device, graph: graph)
    }

    deinit { device.waitUntilIdle() }

    /// Divides dispatches where their weights would no longer have room in a slot, or where they would have more operations
    /// than a submission is to have.
    static func sections(
        _ calls: [KernelCall], byteCounts: [Int], slotByteCount: Int, operationCount: Int
    ) -> [Section] {
        var sections: [Section] = []
        var current = Section(calls: 0..<0)
        var operations = 0
        for (index, call) in calls.enumerated() {
            let own = call.products?.operationCount ?? 0
            let read = Set(call.operands.compactMap(\.view.weight))
            let missing = read.filter { current.offsets[$0] == nil }.sorted()
            let more = missing.reduce(0) { $0 + byteCounts[$1] }
            let isFull = current.byteCount + more > slotByteCount && more > 0
            if !current.calls.isEmpty, isFull || operations + own > operationCount {
                sections.append(current)
                current = Section(calls: index..<index)
                operations = 0
            }
            operations += own
            for weight in read.sorted() where current.offsets[weight] == nil {
                current.offsets[weight] = current.byteCount
                current.byteCount += byteCounts[weight]
            }
            current.calls = current.calls.lowerBound..<index + 1
        }
        return current.calls.isEmpty ? sections : sections + [current]
    }

    func address(of weight: Int, in section: Int) -> UInt64 {
        guard let offset = sections[section].offsets[weight] else {
            preconditionFailure("a section has all weights that its dispatches read")
        }
        return slots[section % 2].address + UInt64(offset)
    }

    func record(_ dispatch: (Commands, Range<Int>) throws(EngineError) -> Void) throws(EngineError) {
        for (index, section) in sections.enumerated() {
            let (copy, computation, place) = (copies[index], computations[index], places[index])
            try copy.record(isUsedOnce: false) { () throws(EngineError) in
                copy.copy(section.byteCount, from: place, to: (slots[index % 2], 0))
            }
            try computation.record(isUsedOnce: false) { () throws(EngineError) in
                computation.barrier()
                try dispatch(computation, section.calls)
            }
        }
    }

    func run() throws(EngineError) {
        let base = begun
        begun += UInt64(sections.count)
        // A slot is filled again when the section before the last one's has been computed, in this run or in the one before,
        // which was waited for.
        func copy(_ index: Int) throws(EngineError) {
            let value = base + UInt64(index)
            try copies[index].start(
                after: index >= 2 ? [computed.at(value - 1)] : [], raising: copied.at(value + 1),
                isLast: false)
        }
        do {
            for index in sections.indices.prefix(2) { try copy(index) }
            for index in sections.indices {
                let value = base + UInt64(index) + 1
                try computations[index].start(
                    after: [copied.at(value)], raising: computed.at(value),
                    isLast: index == sections.count - 1)
                if index + 2 < sections.count { try copy(index + 2) }
            }
            try computations.last?.finish()
        } catch {
            // What was begun still has to do with the slots.
            device.waitUntilIdle()
            throw error
        }
    }
}

extension View {
    /// The number of the weight that it is of.
    fileprivate var weight: Int? {
        if case .weight(let index) = storage { index } else { nil }
    }
}
