import TensorGraph

/// Cells of a picture that are alike, attended to as one: "Token Merging for Fast Stable Diffusion" (Bolya and Hoffman,
/// 2023). Of each 2×2 cells the first, at the upper left, stays; of the others, those that are most like one that stays
/// are merged into it.
///
/// The paper draws one of each four at random; here it is always the same, so that equal requests make equal pictures.
struct TokenMerging {
    private let pictures: Int
    private let cells: Int
    /// Those that stay, and the others, as places among a picture's cells.
    private let kept: [Int]
    private let others: [Int]
    private let mergedCount: Int
    /// Which of those that stay each other cell is most like, `[others]` in each picture; and the others from the one that
    /// is most like it to the least.
    private let nearest: [Tensor]
    private let order: [Tensor]
    private let builder: GraphBuilder

    /// How many cells of a picture are merged into others.
    ///
    /// - Parameter ratio: The share of all cells; 0.75, all but those that stay, is the most.
    static func mergedCount(height: Int, width: Int, ratio: Double) -> Int {
        let (kept, cells) = ((height / 2) * (width / 2), height * width)
        return kept == 0 ? 0 : min(Int(Double(cells) * ratio), cells - kept)
    }

    /// - Parameters:
    ///   - x: What likeness is told by, `[N, height · width, C]`: the cosine of the angle between cells.
    ///   - ratio: As in ``mergedCount(height:width:ratio:)``, which must be above 0.
    init(_ x: Tensor, height: Int, width: Int, ratio: Double, _ builder: GraphBuilder) {
        self.builder = builder
        (pictures, cells) = (x.size(0), height * width)
        mergedCount = Self.mergedCount(height: height, width: width, ratio: ratio)
        func stays(_ cell: Int) -> Bool {
            let (row, column) = (cell / width, cell % width)
            return row % 2 == 0 && column % 2 == 0 && row / 2 < height / 2 && column / 2 < width / 2
        }
        kept = (0..<cells).filter(stays)
        others = (0..<cells).filter { !stays($0) }
        let unit = x / squareRoot(maximum(sum(x * x, axes: [-1]), builder.constant(1e-12)))
        let likeness = matrixMultiply(
            Self.rows(others, of: unit, builder), Self.rows(kept, of: unit, builder), transposesRight: true)
        let greatest = reshape(maximum(likeness, axes: [-1]), [pictures, others.count])
        let (nearest, order) = (topIndices(likeness, count: 1), topIndices(greatest, count: others.count))
        let count = others.count
        self.nearest = (0..<pictures).map { reshape(slice(nearest, axis: 0, $0..<$0 + 1), [count]) }
        self.order = (0..<pictures).map { reshape(slice(order, axis: 0, $0..<$0 + 1), [count]) }
    }

    /// `[N, cells, C]` to `[N, cells − merged, C]`: the cells that are not merged, and those that stay as the mean of
    /// themselves and what is merged into them.
    func merged(_ x: Tensor) -> Tensor {
        let channels = x.size(-1)
        let (other, staying) = (Self.rows(others, of: x, builder), Self.rows(kept, of: x, builder))
        let ones = builder.constant(
            HostTensor([Float](repeating: 1, count: others.count), shape: [others.count, 1]))
        let begin = builder.constant(
            HostTensor([Float](repeating: 1, count: kept.count), shape: [kept.count, 1]))
        let parts = (0..<pictures).map { picture in
            let own = reshape(slice(other, axis: 0, picture..<picture + 1), [others.count, channels])
            let into = reshape(slice(staying, axis: 0, picture..<picture + 1), [kept.count, channels])
            // 1 for those that are merged, 0 for those that are not.
            var (share, left) = (ones, [Tensor]())
            if let alone = alone(picture) {
                let zeros = builder.constant(
                    HostTensor([Float](repeating: 0, count: alone.size(0)), shape: [alone.size(0), 1]))
                share = scatter(zeros, to: alone, of: ones, .replace)
                left = [gather(own, at: alone)]
            }
            let sums = scatter(own * share, to: nearest[picture], of: into, .add)
            let counts = scatter(share, to: nearest[picture], of: begin, .add)
            return concatenate(left + [sums / counts], axis: 0)
        }
        let all = concatenate(parts, axis: 0)
        return reshape(all, [pictures, cells - mergedCount, channels])
    }

    /// The other way: what was merged takes the value of what it was merged into.
    func restored(_ x: Tensor) -> Tensor {
        let channels = x.size(-1)
        let aloneCount = others.count - mergedCount
        var places = [Int32](repeating: 0, count: cells)
        for (place, cell) in (others + kept).enumerated() { places[cell] = Int32(place) }
        let inverse = builder.constant(HostTensor(places, shape: [cells]))
        let parts = (0..<pictures).map { picture in
            let own = reshape(slice(x, axis: 0, picture..<picture + 1), [cells - mergedCount, channels])
            let staying = slice(own, axis: 0, aloneCount..<cells - mergedCount)
            var other = gather(staying, at: nearest[picture])
            if let alone = alone(picture) {
                other = scatter(slice(own, axis: 0, 0..<aloneCount), to: alone, of: other, .replace)
            }
            return gather(concatenate([other, staying], axis: 0), at: inverse)
        }
        return reshape(concatenate(parts, axis: 0), [pictures, cells, channels])
    }

    /// The cells of a picture that are not merged, as places among the others; nil where all are.
    private func alone(_ picture: Int) -> Tensor? {
        mergedCount == others.count ? nil : slice(order[picture], axis: 0, mergedCount..<others.count)
    }

    /// Some of each picture's cells: `[N, cells, C]` to `[N, places, C]`.
    private static func rows(_ places: [Int], of x: Tensor, _ builder: GraphBuilder) -> Tensor {
        let (pictures, cells) = (x.size(0), x.size(1))
        let indices = (0..<pictures).flatMap { picture in places.map { Int32(picture * cells + $0) } }
        let table = reshape(x, [pictures * cells, x.size(2)])
        return gather(table, at: builder.constant(HostTensor(indices, shape: [pictures, places.count])))
    }
}
