/// A matrix whose numbers are integers times scales in its file, one scale for each group of numbers of a row: ggml's blocks
/// without a minimum. Its numbers are these products, which half precision would round.
public struct GroupedIntegers: Sendable {
    private let file: RegularFile
    private let blocks: QuantizedBlocks

    /// The bits of an integer that holds each of them: 4 or 8.
    public let bitCount: Int
    /// How many numbers share a scale.
    public var groupSize: Int { blocks.type.block.count }
    /// How many scales there are.
    public var groupCount: Int { blocks.blockCount }

    /// Nil for blocks that have more than integers and a scale for all of them.
    init?(_ blocks: QuantizedBlocks, in file: RegularFile) {
        guard let bitCount = blocks.type.integerBitCount else { return nil }
        self.file = file
        self.blocks = blocks
        self.bitCount = bitCount
    }

    /// One of so many equal parts, along the rows; nil where groups would be cut.
    func part(_ part: WeightView.Part) -> GroupedIntegers? {
        guard groupCount.isMultiple(of: part.count) else { return nil }
        let count = groupCount / part.count
        return GroupedIntegers(
            QuantizedBlocks(
                type: blocks.type, offset: blocks.offset + part.index * count * blocks.type.block.byteCount,
                blockCount: count), in: file)
    }

    /// Reads groups one behind the other.
    ///
    /// - Parameters:
    ///   - groups: Which, of all.
    ///   - integers: As many as these groups have.
    ///   - scales: One for each of these groups.
    /// - Throws: ``FileError`` where the file cannot be read any more.
    func read(
        _ groups: Range<Int>, into integers: UnsafeMutableBufferPointer<Int8>,
        scales: UnsafeMutableBufferPointer<Float>
    ) throws(FileError) {
        let byteCount = blocks.type.block.byteCount
        let bytes = try file.read(
            byteCount: groups.count * byteCount, at: blocks.offset + groups.lowerBound * byteCount)
        bytes.withUnsafeBytes { bytes in
            for group in 0..<groups.count {
                let block = UnsafeRawBufferPointer(
                    rebasing: bytes[group * byteCount..<(group + 1) * byteCount])
                let places = group * groupSize..<(group + 1) * groupSize
                scales[group] = QuantizedBlocks.integers(
                    blocks.type, block, into: .init(rebasing: integers[places]))
            }
        }
    }
}
