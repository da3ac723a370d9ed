import Dispatch

/// Weights that are made when others are mapped, and their places in the additional memory behind those: each from the
/// start of a line of the cache.
struct MadeWeights {
    private var places: [String: Range<Int>] = [:]
    private var byteCount = 0

    mutating func reserve(_ name: String, byteCount: Int) {
        let alignment = 64
        places[name] = self.byteCount..<self.byteCount + byteCount
        self.byteCount += (byteCount + alignment - 1) / alignment * alignment
    }

    /// How much additional memory is needed for them, and for more behind them; the greatest number where that is beyond
    /// all memory.
    func additionalBytes(and more: Int) -> Int {
        let (sum, overflow) = byteCount.addingReportingOverflow(more)
        return overflow ? .max : sum
    }

    /// Makes them, on all processors; meanwhile the pages of files that have been read are given back.
    ///
    /// - Parameters:
    ///   - weights: What they are made of, mapped with the additional memory for them.
    ///   - iterations: How often `make` is called, with a number from 0 on and what gives the memory of each of them by its
    ///     name: from that it is copied to its place.
    /// - Returns: All weights.
    /// - Throws: ``FileError`` where what they were made of has been cut short.
    func making(
        of weights: MappedWeights, among names: [String], iterations: Int,
        _ make: @Sendable (Int, (String) -> UnsafeMutableRawBufferPointer) -> Void
    ) throws -> MappedWeights {
        guard iterations > 0 else { return weights }
        let start = weights.additionalOffset
        weights.releasingFilePages {
            DispatchQueue.concurrentPerform(iterations: iterations) { [places] index in
                var made: [(offset: Int, bytes: UnsafeMutableRawBufferPointer)] = []
                make(index) { name in
                    guard let place = places[name] else { preconditionFailure("no place for \(name)") }
                    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: place.count, alignment: 64)
                    made.append((start + place.lowerBound, bytes))
                    return bytes
                }
                for (offset, bytes) in made {
                    weights.write(UnsafeRawBufferPointer(bytes), at: offset)
                    bytes.deallocate()
                }
            }
        }
        try weights.validate()
        var offsets: [String: Int] = [:]
        for name in names { offsets[name] = weights.offset(of: name) }
        for (name, place) in places { offsets[name] = start + place.lowerBound }
        return MappedWeights(weights, additionalOffset: start + byteCount, offsets: offsets)
    }
}
