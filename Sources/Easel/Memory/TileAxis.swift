/// How one side of a picture is covered by tiles of one size, in latent cells.
///
/// The first tile begins and the last one ends at the picture's ends, so that tiles overlap by what was asked for or more;
/// of an axis without ends the tiles lie around a ring.
struct TileAxis: Sendable, Hashable {
    let length: Int
    /// Of each tile.
    let size: Int
    let isRing: Bool
    let starts: [Int]

    /// - Parameter overlap: Less than `size`.
    init(length: Int, size: Int, overlap: Int, isRing: Bool) {
        let step = max(min(size, length) - overlap, 1)
        self.length = length
        self.size = min(size, length)
        self.isRing = isRing && size < length
        if size >= length {
            starts = [0]
        } else if isRing {
            let count = (length + step - 1) / step
            starts = (0..<count).map { $0 * length / count }
        } else {
            let (last, count) = (length - size, (length - size + step - 1) / step + 1)
            starts = (0..<count).map { $0 * last / (count - 1) }
        }
    }

    /// Where a tile's elements are in the picture.
    ///
    /// - Parameters:
    ///   - scale: How many elements there are in a cell's side.
    func indices(of tile: Int, scale: Int) -> [Int] {
        (0..<size * scale).map { (starts[tile] * scale + $0) % (length * scale) }
    }

    /// How much of the picture a tile's elements give: rising from the end of one tile to where its neighbour ends, and
    /// falling likewise, so that at each place all tiles together give 1.
    func shares(of tile: Int, scale: Int) -> [Float] {
        let own = ramp(tile, scale)
        var sums = [Float](repeating: 0, count: length * scale)
        for other in starts.indices {
            for (index, weight) in zip(indices(of: other, scale: scale), ramp(other, scale)) {
                sums[index] += weight
            }
        }
        return zip(indices(of: tile, scale: scale), own).map { $1 / sums[$0] }
    }

    private func ramp(_ tile: Int, _ scale: Int) -> [Float] {
        var weights = [Float](repeating: 1, count: size * scale)
        func overlap(_ earlier: Int, _ later: Int) -> Int {
            let distance = (starts[later] - starts[earlier] + length) % length
            return max(size - distance, 0) * scale
        }
        let hasBefore = isRing || tile > 0
        let hasAfter = isRing || tile + 1 < starts.count
        guard starts.count > 1 else { return weights }
        if hasBefore {
            let count = overlap((tile + starts.count - 1) % starts.count, tile)
            for index in 0..<count {
                weights[index] = min(weights[index], (Float(index) + 0.5) / Float(count))
            }
        }
        if hasAfter {
            let count = overlap(tile, (tile + 1) % starts.count)
            for index in 0..<count {
                let last = weights.count - 1 - index
                weights[last] = min(weights[last], (Float(index) + 0.5) / Float(count))
            }
        }
        return weights
    }

    /// Places all over the side, as many as a tile has, in runs of neighbours: the picture drawn together.
    ///
    /// - Parameters:
    ///   - run: How many neighbours there are in a run.
    ///   - phase: Which of ``samplePhases`` sets of places.
    func sample(scale: Int, run: Int, phase: Int) -> [Int] {
        let (all, wanted) = (length * scale, size * scale)
        // A side that one tile has is not drawn together: its last run may be shorter than the others.
        if wanted == all { return Array(0..<all) }
        let run = max(1, min(run, wanted))
        let count = (wanted + run - 1) / run
        let gap = count > 1 ? Double(all - run) / Double(count - 1) : 0
        let shift = (Double(phase) + 0.5) / Double(samplePhases) - 0.5
        return (0..<wanted).map { index in
            let start = min(max((Double(index / run) + shift) * gap, 0), Double(all - run))
            return min(Int(start) + index % run, all - 1)
        }
    }

    /// How many sets of places there are; one where a tile has the whole side.
    var samplePhases: Int { size < length ? 2 : 1 }
}
