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

/// Weights that all stay in the device's memory: a run is one submission.
struct ResidentWeights: ProgramWeights {
    let sectionCalls: [Range<Int>]
    private let memory: WeightMemory
    private let commands: Commands

    init(_ memory: WeightMemory, calls: Range<Int>, _ device: VulkanDevice, graph: String) throws(EngineError)
    {
        self.memory = memory
        sectionCalls = [calls]
        commands = try Commands(device, graph: graph)
    }

    func address(of weight: Int, in section: Int) -> UInt64 { memory.addresses[weight] }

    func record(_ dispatch: (Commands, Range<Int>) throws(EngineError) -> Void) throws(EngineError) {
        try commands.record(isUsedOnce: false) { () throws(EngineError) in
            for calls in sectionCalls { try dispatch(commands, calls) }
        }
    }

    func run() throws(EngineError) {
        try commands.start()
        try commands.finish()
    }
}
