import TensorGraph

extension Lowering {
    mutating func normalize(_ x: View, _ norm: LayerNorm, scale: View, shift: View) throws -> View {
        let x = try contiguous(x)
        let (scale, shift) = (try contiguous(scale), try contiguous(shift))
        let y = allocate(x.shape)
        let size = x.shape[x.rank - 1]
        guard x.count > 0 else { return y }
        let rows = x.count / size
        let operands: [KernelCall.Operand] = [.reads(x), .reads(scale), .reads(shift), .writes(y)]
        if areVectors([x, scale, shift, y], rows: size),
            let lanes = RowLanes(vectors: size / vectorSize(x))
        {
            call(
                Kernel(shader: .layerNormRows, isHalf: isHalf, constants: [lanes.count, lanes.each]),
                operands, [UInt32(rows), UInt32(size / vectorSize(x)), norm.epsilon.bitPattern],
                lanes.workgroups(rows: rows))
        } else {
            call(
                Kernel(shader: .layerNorm, isHalf: isHalf, constants: []), operands,
                [UInt32(rows), UInt32(size), norm.epsilon.bitPattern], Workgroups(inRow: rows))
        }
        return y
    }

    mutating func normalize(
        _ x: View, _ norm: GroupNorm, scale: View, shift: View, _ function: Function
    ) throws -> View {
        let (channels, pixels) = (x.shape[1], x.shape[2] * x.shape[3])
        // The channels of a single pixel lie both ways.
        let isPlain = x.isContiguous && pixels > 1
        let x = isPlain ? try contiguous(x) : try dense(x, order: Self.channelsLast)
        let (scale, shift) = (try contiguous(scale), try contiguous(shift))
        let y = allocate(x.shape, order: isPlain ? nil : Self.channelsLast)
        if !isPlain, pixels > 0, areVectors([x, scale, shift, y], rows: channels) {
            func tiling(_ fewest: Int) -> GroupNormTiling? {
                GroupNormTiling(
                    channels: channels, groups: norm.groups, vectorSize: vectorSize(x),
                    fewestColumns: fewest)
            }
            // A workgroup that holds a whole picture had better be one of many; another reads longer runs.
            if let tiling = tiling(4), let each = tiling.pixelsEach(of: pixels) {
                normalizeWhole(x, norm, scale, shift, to: y, function, tiling, each: each)
                return y
            }
            if let tiling = tiling(8) {
                normalizeBlocks(x, norm, scale, shift, to: y, function, tiling)
                return y
            }
        }
        call(
            Kernel(shader: .groupNorm, isHalf: isHalf, constants: [function.rawValue]),
            [.reads(x), .reads(scale), .reads(shift), .writes(y)],
            [
                norm.groups, channels / norm.groups, pixels, channels * pixels, isPlain ? pixels : 1,
                isPlain ? 1 : channels,
            ].map { UInt32($0) } + [norm.epsilon.bitPattern], Workgroups(norm.groups, x.shape[0]))
        return y
    }

    /// Group norm of small pictures, which are read once.
    private mutating func normalizeWhole(
        _ x: View, _ norm: GroupNorm, _ scale: View, _ shift: View, to y: View, _ function: Function,
        _ tiling: GroupNormTiling, each: Int
    ) {
        let numbers = [x.shape[2] * x.shape[3], x.shape[1] / vectorSize(x)]
        call(
            Kernel(
                shader: .groupNormWhole, isHalf: isHalf,
                constants: tiling.constants + [function.rawValue, Int32(each)]),
            [.reads(x), .reads(scale), .reads(shift), .writes(y)],
            numbers.map { UInt32($0) } + [norm.epsilon.bitPattern], Workgroups(tiling.parts, x.shape[0]))
    }

    /// Group norm of large pictures: the moments of blocks of pixels, then what they give.
    private mutating func normalizeBlocks(
        _ x: View, _ norm: GroupNorm, _ scale: View, _ shift: View, to y: View, _ function: Function,
        _ tiling: GroupNormTiling
    ) {
        let (pictures, pixels, size) = (x.shape[0], x.shape[2] * x.shape[3], x.shape[1] / vectorSize(x))
        let blockPixels = tiling.blockPixels(of: pixels, pictures: pictures)
        let tilePixels = tiling.tilePixels(of: pixels, pictures: pictures)
        let blocks = (pixels + blockPixels - 1) / blockPixels
        let moments = allocate([pictures, norm.groups, blocks, 2], .wide)
        call(
            Kernel(shader: .groupNormStatistics, isHalf: isHalf, constants: tiling.constants),
            [.reads(x), .writes(moments)], [pixels, size, blockPixels].map { UInt32($0) },
            Workgroups(blocks, tiling.parts, pictures))
        call(
            Kernel(
                shader: .groupNormApply, isHalf: isHalf,
                constants: tiling.constants + [function.rawValue, tiling.lanes]),
            [.reads(x), .reads(scale), .reads(shift), .reads(moments), .writes(y)],
            [pixels, size, blockPixels, blocks, tilePixels].map { UInt32($0) } + [norm.epsilon.bitPattern],
            Workgroups((pixels + tilePixels - 1) / tilePixels, tiling.parts, pictures))
    }
}

/// How many invocations of a workgroup of 128 share a row that they hold, and how many vectors each has.
struct RowLanes {
    let count: Int32
    let each: Int32

    /// Nil for rows that are too long.
    init?(vectors: Int) {
        var count = 8
        while count < 128, vectors > count * 5 { count *= 2 }
        let each = (vectors + count - 1) / count
        guard each <= 8 else { return nil }
        (self.count, self.each) = (Int32(count), Int32(each))
    }

    func workgroups(rows: Int) -> Workgroups { Workgroups(invocations: rows * Int(count), each: 128) }
}

/// What a workgroup of 256 has of pictures whose channels are nearest in memory: whole groups of channels, in whole vectors,
/// of some pixels at a time.
struct GroupNormTiling {
    /// Vectors of a pixel.
    let columns: Int
    /// Channels of a group.
    let channels: Int
    /// How many workgroups have all groups.
    let parts: Int
    /// How many invocations join the moments of a group's blocks: a power of two.
    let lanes: Int32

    /// The fewest groups that are whole vectors, and no fewer than so many; nil where there are none.
    init?(channels: Int, groups: Int, vectorSize: Int, fewestColumns: Int) {
        let each = channels / groups
        let fitting = (1...groups).filter { groups % $0 == 0 && $0 * each % vectorSize == 0 }
        guard
            let together = fitting.first(where: { $0 * each / vectorSize >= fewestColumns })
                ?? fitting.last
        else { return nil }
        columns = together * each / vectorSize
        self.channels = each
        parts = groups / together
        guard columns > 0, columns <= 64, together <= 256 else { return nil }
        var lanes = 32
        while lanes * together > 256 { lanes /= 2 }
        self.lanes = Int32(lanes)
    }

    var constants: [Int32] { [Int32(columns), Int32(channels)] }

    private var rows: Int { 256 / columns }

    /// How many pixels an invocation has where a workgroup has all; nil where those are too many to hold.
    func pixelsEach(of pixels: Int) -> Int? {
        let each = (pixels + rows - 1) / rows
        return each <= 12 ? each : nil
    }

    /// How many pixels have moments of their own: so few that some workgroups are on each of a GPU's processors, and so many
    /// that the blocks' moments are small beside the picture.
    func blockPixels(of pixels: Int, pictures: Int) -> Int {
        let blocks = min(max(512 / (pictures * parts), 1), 128)
        return max(((pixels + blocks - 1) / blocks + rows - 1) / rows, 4) * rows
    }

    /// How many pixels a workgroup normalises.
    func tilePixels(of pixels: Int, pictures: Int) -> Int {
        min(max(pixels * pictures * parts / (rows * 1024), 4), 16) * rows
    }
}
