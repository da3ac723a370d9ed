import TensorGraph

/// How a network from pictures to pictures is computed in tiles: which part of it, and where the tiles are.
struct TilePlan: Sendable {
    /// What comes before the part in tiles, for the whole picture.
    private(set) var before: Graph?
    /// The part in tiles, for one tile, with the group normalisations' statistics given.
    private(set) var tile: Graph
    /// The same with its own statistics, which it tells; nil where there are none.
    private(set) var sample: Graph?
    /// What comes after, for the whole picture.
    private(set) var after: Graph?
    /// What goes into the part in tiles, and what comes of it.
    let input: String
    let output: String
    /// How many elements of those a latent cell's side has.
    let inputScale: Int
    let outputScale: Int
    let rows: TileAxis
    let columns: TileAxis
    /// How many neighbours stay together where the picture is drawn together.
    static let run = 8

    /// How many numbers are in memory at most.
    var peakValueCount: Int {
        let wholes = [before, after].compactMap { $0 }
        let handed = wholes.reduce(0) { $0 + $1.boundaryCount }
        return max(wholes.map(\.peakValueCount).max() ?? 0, tile.peakValueCount + handed)
    }

    /// How many numbers of weights are in memory at most, where its parts are let go in turn or where they are kept.
    func weightCount(keeps: Bool) -> Int {
        let counts = [before, tile, sample, after].compactMap { $0?.weightCount }
        return keeps ? counts.reduce(0, +) : counts.max() ?? 0
    }

    /// - Parameters:
    ///   - make: The network's graph for a picture of that height and width in latent cells, with one input and one
    ///     output; its operations are the same for every size.
    ///   - isDecoder: Whether what cannot be computed in tiles is at the beginning.
    /// - Throws: `GraphError`. Gives nil where no part of the network can be computed in tiles.
    init?(
        _ size: MemoryPlan.Tile, height: Int, width: Int, wrapped: WrappedAxes, scoresAtOnce: Int,
        isDecoder: Bool, _ make: (_ height: Int, _ width: Int) throws -> Graph
    ) throws {
        rows = TileAxis(length: height, size: size.size, overlap: size.overlap, isRing: wrapped.rows)
        columns = TileAxis(length: width, size: size.size, overlap: size.overlap, isRing: wrapped.columns)
        let (whole, small) = (try make(height, width), try make(rows.size, columns.size))
        guard
            let cut = Self.cut(whole, small, isDecoder: isDecoder),
            let given = whole.inputs.first, let made = whole.outputs.first
        else { return nil }
        let handed = Graph.partName(ofNode: cut.node)
        let wholeParts = cut.place == 0 ? [whole] : whole.divided(at: [cut.place])
        let smallParts = cut.place == 0 ? [small] : small.divided(at: [cut.place])
        func prepared(_ graph: Graph) throws -> Graph {
            try graph.wrapping(wrapped).slicingAttention(scoresAtOnce: scoresAtOnce)
        }
        let part: Graph
        let elements: (input: Int, output: Int)
        if isDecoder {
            before = cut.place == 0 ? nil : try prepared(wholeParts[0])
            after = nil
            part = smallParts[smallParts.count - 1]
            (input, output) = (cut.place == 0 ? given.name : handed, made.name)
            elements = (
                cut.place == 0 ? given.type.shape[2] : whole.nodes[cut.node].type.shape[2],
                whole.nodes[made.node].type.shape[2]
            )
        } else {
            before = nil
            after = cut.place == whole.nodes.count ? nil : try prepared(wholeParts[wholeParts.count - 1])
            part = smallParts[0]
            (input, output) = (given.name, after == nil ? made.name : handed)
            elements = (given.type.shape[2], whole.nodes[cut.node].type.shape[2])
        }
        (inputScale, outputScale) = (elements.input / height, elements.output / height)
        guard inputScale * height == elements.input, outputScale * height == elements.output else {
            return nil
        }
        // An axis that one tile covers goes on at its own other end.
        let own = try part.wrapping(
            WrappedAxes(
                rows: wrapped.rows && !rows.isRing, columns: wrapped.columns && !columns.isRing))
        tile = try own.takingGroupStatistics()
        sample = own.groupNormCount > 0 ? try own.measuringGroupStatistics() : nil
    }

    /// The place where the network is divided: there a single value is handed on, all on the tiles' side is local, and on
    /// the other as much as needs no more memory than the tiles do.
    private static func cut(_ whole: Graph, _ small: Graph, isDecoder: Bool) -> (place: Int, node: Int)? {
        let isLocal = whole.isLocal
        let isWholeLocal = isLocal.allSatisfy { $0 }
        let inputs = whole.nodes.indices.filter {
            if case .primitive(.input) = whole.nodes[$0].operation { true } else { false }
        }
        if isWholeLocal, let input = inputs.first, let output = whole.outputs.first {
            return isDecoder ? (0, input) : (whole.nodes.count, output.node)
        }
        let (first, last) = (isLocal.firstIndex(of: false) ?? 0, isLocal.lastIndex(of: false) ?? 0)
        let places = whole.narrowPlaces.filter { place, node in
            (isDecoder ? place > last : place <= first) && whole.nodes[node].type.shape.rank == 4
                && place > 0 && !inputs.contains(node)
        }
        func fits(_ place: (place: Int, node: Int)) -> Bool {
            let (whole, small) = (whole.divided(at: [place.place]), small.divided(at: [place.place]))
            let (around, tile) = isDecoder ? (whole[0], small[1]) : (whole[1], small[0])
            return around.peakValueCount <= tile.peakValueCount
        }
        return isDecoder ? places.last(where: fits) ?? places.first : places.first(where: fits) ?? places.last
    }
}

extension Graph {
    /// How many numbers go in and come out.
    fileprivate var boundaryCount: Int {
        inputs.reduce(0) { $0 + $1.type.shape.count }
            + outputs.reduce(0) { $0 + nodes[$1.node].type.shape.count }
    }
}
