import EngineInterface

/// Where a program's weights are while its dispatches read them, and what submits those.
protocol ProgramWeights {
    /// The dispatches, divided where other weights come to the place of those before.
    var sectionCalls: [Range<Int>] { get }

    /// Where a weight is while a section is computed.
    func address(of weight: Int, in section: Int) -> UInt64

    /// Records what is submitted in each run.
    ///
    /// - Parameter dispatch: Adds the dispatches of a range.
    func record(_ dispatch: (Commands, Range<Int>) throws(EngineError) -> Void) throws(EngineError)

    /// Computes all sections and waits for the last.
    func run() throws(EngineError)
}

/// Weights that all stay in the device's memory: a run is one submission, or a few where it is long, as drivers take a
/// device for lost that is at work on one for some seconds.
final class ResidentWeights: ProgramWeights {
    let sectionCalls: [Range<Int>]
    private let memory: WeightMemory
    private let device: VulkanDevice
    /// Of each section.
    private let commands: [Commands]

    /// - Parameter operationCount: The multiplications and additions of one submission, unless one dispatch has more.
    /// - Throws: ``EngineError``.
    init(
        _ memory: WeightMemory, calls: [KernelCall], operationCount: Int, _ device: VulkanDevice,
        graph: String
    ) throws(EngineError) {
        self.memory = memory
        self.device = device
        sectionCalls = Self.sections(calls, operationCount: operationCount)
        var commands: [Commands] = []
        for _ in sectionCalls { commands.append(try Commands(device, graph: graph)) }
        self.commands = commands
    }

    deinit {
        // Only the last one's end was waited for.
        if commands.count > 1 { device.waitUntilIdle() }
    }

    /// Divides dispatches where those of a submission would have more operations.
    static func sections(_ calls: [KernelCall], operationCount: Int) -> [Range<Int>] {
        var sections: [Range<Int>] = []
        var (start, count) = (0, 0)
        for (index, call) in calls.enumerated() {
            let more = call.products?.operationCount ?? 0
            if index > start, count + more > operationCount {
                sections.append(start..<index)
                (start, count) = (index, 0)
            }
            count += more
        }
        return sections + [start..<calls.count]
    }

    func address(of weight: Int, in section: Int) -> UInt64 { memory.addresses[weight] }

    func record(_ dispatch: (Commands, Range<Int>) throws(EngineError) -> Void) throws(EngineError) {
        for (commands, calls) in zip(commands, sectionCalls) {
            try commands.record(isUsedOnce: false) { () throws(EngineError) in
                // The first section too sees what another submission wrote: the weights.
                commands.barrier()
                try dispatch(commands, calls)
            }
        }
    }

    func run() throws(EngineError) {
        do {
            for (index, one) in commands.enumerated() {
                try one.start(isLast: index == commands.count - 1)
            }
            try commands.last?.finish()
        } catch {
            // Those that were begun still have to do with the values.
            device.waitUntilIdle()
            throw error
        }
    }
}
