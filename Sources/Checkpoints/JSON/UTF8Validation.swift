/// The offset of the first byte that is not part of well-formed UTF-8 (Unicode 15, table 3-7), or nil where
/// all are.
func firstInvalidUTF8(in bytes: UnsafeRawBufferPointer) -> Int? {
    let count = bytes.count
    var offset = 0
    while offset < count {
        while offset + 8 <= count,
            bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        {
            offset += 8
        }
        guard offset < count else { break }
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch bytes[offset] {
        case 0x00...0x7F: length = 1
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return offset
        }
        guard length <= count - offset else { return offset }
        if length > 1 {
            guard second.contains(bytes[offset + 1]) else { return offset }
            for index in 2..<max(2, length) where bytes[offset + index] & 0xC0 != 0x80 { return offset }
        }
        offset += length
    }
    return nil
}
