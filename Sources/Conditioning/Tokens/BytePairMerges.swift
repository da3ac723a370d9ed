/// The merges of a byte-pair encoding (Sennrich, Haddow and Birch 2016), and the encoding of one word.
struct BytePairMerges: Sendable {
    private struct Merge {
        /// The merge's place in the list: the lowest is done first.
        let rank: Int32
        let result: Int32
    }

    private var merges: [UInt64: Merge] = [:]

    init(capacity: Int) { merges.reserveCapacity(capacity) }

    /// Adds the merge of two tokens; where the pair is there already, the later rank is the one that counts.
    mutating func append(_ left: Int32, _ right: Int32, into result: Int32, rank: Int) {
        merges[Self.key(left, right)] = Merge(rank: Int32(clamping: rank), result: result)
    }

    /// Merges a word's symbols until no pair of neighbours has a merge: always the pair of the lowest rank, and
    /// of those the leftmost. Takes O(n log n) for n symbols.
    func encode(_ symbols: [Int32]) -> [Int32] {
        guard symbols.count > 1 else { return symbols }
        var tokens = symbols
        // Neighbours that are left; a token that was merged into the one before it has no right neighbour.
        var left = Array(-1..<symbols.count - 1)
        var right = Array(1...symbols.count)
        var isMerged = [Bool](repeating: false, count: symbols.count)
        var candidates = CandidateHeap()

        func add(at index: Int) {
            guard index >= 0, right[index] < tokens.count,
                let merge = merges[Self.key(tokens[index], tokens[right[index]])]
            else { return }
            candidates.insert(Candidate(rank: merge.rank, index: Int32(index), result: merge.result))
        }

        for index in symbols.indices { add(at: index) }
        while let candidate = candidates.removeLowest() {
            let index = Int(candidate.index)
            // Either token may have been merged with another neighbour since.
            guard !isMerged[index], right[index] < tokens.count else { continue }
            let next = right[index]
            guard merges[Self.key(tokens[index], tokens[next])]?.result == candidate.result else { continue }
            tokens[index] = candidate.result
            isMerged[next] = true
            right[index] = right[next]
            if right[index] < tokens.count { left[right[index]] = index }
            add(at: left[index])
            add(at: index)
        }
        return tokens.indices.filter { !isMerged[$0] }.map { tokens[$0] }
    }

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }
}

/// A pair of neighbours that could be merged when it was looked at.
private struct Candidate {
    let rank: Int32
    /// The place of the pair's first token in the word.
    let index: Int32
    let result: Int32

    static func < (left: Candidate, right: Candidate) -> Bool {
        (left.rank, left.index) < (right.rank, right.index)
    }
}

/// A binary heap with the lowest candidate on top.
private struct CandidateHeap {
    private var candidates: [Candidate] = []

    mutating func insert(_ candidate: Candidate) {
        candidates.append(candidate)
        var index = candidates.count - 1
        while index > 0, candidates[index] < candidates[(index - 1) / 2] {
            candidates.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func removeLowest() -> Candidate? {
        guard let last = candidates.popLast() else { return nil }
        guard let lowest = candidates.first else { return last }
        candidates[0] = last
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < candidates.count else { break }
            if child + 1 < candidates.count, candidates[child + 1] < candidates[child] { child += 1 }
            guard candidates[child] < candidates[index] else { break }
            candidates.swapAt(index, child)
            index = child
        }
        return lowest
    }
}
