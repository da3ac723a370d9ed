import CArithmetic

/// The numbers of blocks that share a scale, or a scale and a minimum; those of 256 have sixteen or eight parts, each with
/// a scale of its own ("K quants"). The layouts are those of `ggml-common.h`, of https://github.com/ggml-org/ggml.
struct QuantizedBlocks: TensorDecoder {
    let type: GGUFType
    /// Where the first block is in the file.
    let offset: Int
    let blockCount: Int

    func decode(_ file: UnsafeRawBufferPointer, into values: UnsafeMutableRawBufferPointer) {
        let (count, byteCount) = type.block
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { numbers in
            for index in 0..<blockCount {
                let start = offset + index * byteCount
                let bytes = UnsafeRawBufferPointer(rebasing: file[start..<start + byteCount])
                Self.decode(type, Block(bytes: bytes), numbers)
                if let target = values.baseAddress {
                    easel_halves_from_floats(numbers.baseAddress, target + index * count * 2, count)
                }
            }
        }
    }

    /// The integers of a block of a type that has a ``GGUFType/integerBitCount``, and returns their scale.
    static func integers(
        _ type: GGUFType, _ bytes: UnsafeRawBufferPointer, into integers: UnsafeMutableBufferPointer<Int8>
    ) -> Float {
        let block = Block(bytes: bytes)
        switch type {
        case .q40:
            for place in 0..<16 {
                let pair = block[2 + place]
                integers[place] = Int8(pair & 15) - 8
                integers[place + 16] = Int8(pair >> 4) - 8
            }
        case .q50:
            for place in 0..<16 {
                let pair = block[6 + place]
                integers[place] = Int8(pair & 15 | block.fifthBit(place, from: 2)) - 16
                integers[place + 16] = Int8(pair >> 4 | block.fifthBit(place + 16, from: 2)) - 16
            }
        default: for place in 0..<32 { integers[place] = Int8(bitPattern: bytes[2 + place]) }
        }
        return block.half(0)
    }

    private struct Block {
        let bytes: UnsafeRawBufferPointer

        subscript(_ index: Int) -> Int { Int(bytes[index]) }
        func signed(_ index: Int) -> Int { Int(Int8(bitPattern: bytes[index])) }
        func half(_ index: Int) -> Float {
            Float(float16: UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8)
        }
        func fifthBit(_ place: Int, from start: Int) -> Int {
            (self[start + place / 8] >> (place % 8) & 1) << 4
        }
    }

    private typealias Numbers = UnsafeMutableBufferPointer<Float>

    private static func decode(_ type: GGUFType, _ block: Block, _ numbers: Numbers) {
        switch type {
        case .q40: fourBits(block, numbers, quants: 2) { ($0 - 8) * block.half(0) }
        case .q41:
            let (scale, minimum) = (block.half(0), block.half(2))
            fourBits(block, numbers, quants: 4) { $0 * scale + minimum }
        case .q50: fiveBits(block, numbers, high: 2) { ($0 - 16) * block.half(0) }
        case .q51:
            let (scale, minimum) = (block.half(0), block.half(2))
            fiveBits(block, numbers, high: 4) { $0 * scale + minimum }
        case .q80:
            let scale = block.half(0)
            for place in 0..<32 { numbers[place] = Float(block.signed(2 + place)) * scale }
        case .q2K: q2(block, numbers)
        case .q3K: q3(block, numbers)
        case .q4K: q4(block, numbers)
        case .q5K: q5(block, numbers)
        case .q6K: q6(block, numbers)
        case .float32, .float16, .float64, .bfloat16, .int8, .int16, .int32, .int64: break
        }
    }

    private static func fourBits(
        _ block: Block, _ numbers: Numbers, quants: Int, _ value: (Float) -> Float
    ) {
        for place in 0..<16 {
            let pair = block[quants + place]
            numbers[place] = value(Float(pair & 15))
            numbers[place + 16] = value(Float(pair >> 4))
        }
    }

    /// - Parameter high: Where the fifth bits begin; the others are behind them.
    private static func fiveBits(
        _ block: Block, _ numbers: Numbers, high: Int, _ value: (Float) -> Float
    ) {
        for place in 0..<16 {
            let pair = block[high + 4 + place]
            numbers[place] = value(Float(pair & 15 | block.fifthBit(place, from: high)))
            numbers[place + 16] = value(Float(pair >> 4 | block.fifthBit(place + 16, from: high)))
        }
    }

    /// Sixteen parts; a part's scale and minimum are of four bits each.
    private static func q2(_ block: Block, _ numbers: Numbers) {
        let (scale, minimum) = (block.half(80), block.half(82))
        for place in 0..<256 {
            let (half, row, column) = (place / 128, place % 128 / 32, place % 32)
            let part = block[place / 16]
            let quant = block[16 + half * 32 + column] >> (2 * row) & 3
            numbers[place] = scale * Float(part & 15) * Float(quant) - minimum * Float(part >> 4)
        }
    }

    /// Sixteen parts, whose scales are of six bits, spread over twelve bytes; a number's third bit says that 4 is not to
    /// be taken from it.
    private static func q3(_ block: Block, _ numbers: Numbers) {
        let scale = block.half(108)
        func partScale(_ part: Int) -> Float {
            let low = block[96 + part % 8] >> (part < 8 ? 0 : 4) & 15
            let high = block[104 + part % 4] >> (2 * (part / 4)) & 3
            return Float((low | high << 4) - 32)
        }
        for place in 0..<256 {
            let (half, row, column) = (place / 128, place % 128 / 32, place % 32)
            let low = block[32 + half * 32 + column] >> (2 * row) & 3
            let high = block[column] >> (half * 4 + row) & 1
            numbers[place] = scale * partScale(place / 16) * Float(low - (high == 1 ? 0 : 4))
        }
    }

    /// The scale and the minimum of one of eight parts, of six bits each, in the twelve bytes from the fifth on.
    private static func sixBits(_ block: Block, _ part: Int) -> (scale: Float, minimum: Float) {
        if part < 4 { return (Float(block[4 + part] & 63), Float(block[8 + part] & 63)) }
        let pair = block[8 + part]
        return (Float(pair & 15 | (block[part] >> 6) << 4), Float(pair >> 4 | (block[4 + part] >> 6) << 4))
    }

    private static func q4(_ block: Block, _ numbers: Numbers) {
        let (scale, minimum) = (block.half(0), block.half(2))
        for part in 0..<8 {
            let own = sixBits(block, part)
            for column in 0..<32 {
                let quant = block[16 + part / 2 * 32 + column] >> (part % 2 * 4) & 15
                numbers[part * 32 + column] = scale * own.scale * Float(quant) - minimum * own.minimum
            }
        }
    }

    private static func q5(_ block: Block, _ numbers: Numbers) {
        let (scale, minimum) = (block.half(0), block.half(2))
        for part in 0..<8 {
            let own = sixBits(block, part)
            for column in 0..<32 {
                let low = block[48 + part / 2 * 32 + column] >> (part % 2 * 4) & 15
                let quant = low | (block[16 + column] >> part & 1) << 4
                numbers[part * 32 + column] = scale * own.scale * Float(quant) - minimum * own.minimum
            }
        }
    }

    private static func q6(_ block: Block, _ numbers: Numbers) {
        let scale = block.half(208)
        for place in 0..<256 {
            let (half, row, column) = (place / 128, place % 128 / 32, place % 32)
            let low = block[half * 64 + row % 2 * 32 + column] >> (row / 2 * 4) & 15
            let high = block[128 + half * 32 + column] >> (2 * row) & 3
            numbers[place] = scale * Float(block.signed(192 + place / 16)) * Float((low | high << 4) - 32)
        }
    }
}
