/// What dispatches since the last barrier have read and written: those that have to do with none of it may overlap them.
struct Hazards {
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
