import CArithmetic
import TensorGraph

extension MappedWeights {
    /// The bytes of a weight, or nil for a name that is not there.
    public func bytes(of name: String, _ entry: WeightEntry) -> UnsafeRawBufferPointer? {
        guard let offset = offset(of: name), let count = entry.shape.checkedCount else { return nil }
        let byteCount = entry.elementType.byteCount(of: count)
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + byteCount])
    }

    /// The values of a weight as `Float`, in row-major order: exact from `float32`, `float16`, `bfloat16`, 4, 8 and
    /// 16 bit integers and booleans, rounded to the nearest from the others. Nil for a name that is not there.
    public func floats(of name: String, _ entry: WeightEntry) -> [Float]? {
        guard offset(of: name) != nil, let count = entry.shape.checkedCount else { return nil }
        return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            let values = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
            initialized = readFloats(of: name, entry, from: 0, into: values)
        }
    }

    /// Reads values of a weight as ``floats(of:_:)`` gives them, from the one at `start` on, as many as there is
    /// room for and as there are.
    ///
    /// - Returns: How many were read: none for a name that is not there.
    @discardableResult
    public func readFloats(
        of name: String, _ entry: WeightEntry, from start: Int, into values: UnsafeMutableBufferPointer<Float>
    ) -> Int {
        guard let bytes = bytes(of: name, entry) else { return 0 }
        func convert<Stored>(_ type: Stored.Type, _ convert: (Stored) -> Float) -> Int {
            let size = MemoryLayout<Stored>.size
            let count = max(0, min(values.count, bytes.count / size - start))
            for index in 0..<count {
                values.initializeElement(
                    at: index,
                    to: convert(
                        bytes.loadUnaligned(fromByteOffset: (start &+ index) &* size, as: Stored.self)))
            }
            return count
        }
        return switch entry.elementType {
        case .float64: convert(UInt64.self) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
        case .float32: convert(UInt32.self) { Float(bitPattern: UInt32(littleEndian: $0)) }
        case .float16: Self.readHalves(bytes, from: start, into: values)
        case .bfloat16: convert(UInt16.self) { Float(bitPattern: UInt32(UInt16(littleEndian: $0)) << 16) }
        case .int64: convert(Int64.self) { Float(Int64(littleEndian: $0)) }
        case .int32: convert(Int32.self) { Float(Int32(littleEndian: $0)) }
        case .int16: convert(Int16.self) { Float(Int16(littleEndian: $0)) }
        case .int8: convert(Int8.self) { Float($0) }
        case .uint8: convert(UInt8.self) { Float($0) }
        case .int4: Self.readHalfBytes(bytes, entry.shape.checkedCount ?? 0, from: start, into: values)
        case .boolean: convert(UInt8.self) { $0 == 0 ? 0 : 1 }
        }
    }

    /// - Parameter all: How many numbers there are, of which the last may be alone in its byte.
    private static func readHalfBytes(
        _ bytes: UnsafeRawBufferPointer, _ all: Int, from start: Int,
        into values: UnsafeMutableBufferPointer<Float>
    ) -> Int {
        let count = max(0, min(values.count, all - start))
        for index in 0..<count {
            let place = start &+ index
            let pair = Int8(bitPattern: bytes[place >> 1])
            values.initializeElement(at: index, to: Float(place & 1 == 0 ? (pair << 4) >> 4 : pair >> 4))
        }
        return count
    }

    private static func readHalves(
        _ bytes: UnsafeRawBufferPointer, from start: Int, into values: UnsafeMutableBufferPointer<Float>
    ) -> Int {
        let count = max(0, min(values.count, bytes.count / 2 - start))
        guard count > 0, let source = bytes.baseAddress.map({ $0 + start * 2 }),
            let target = values.baseAddress
        else { return 0 }
        easel_floats_from_halves(source, target, count)
        return count
    }

    /// The first weight, in the order of their places in memory, that has a NaN or an infinity among its
    /// values; nil where all are finite. Reads every value once, and gives the memory of the files' pages back meanwhile.
    public func firstNonFinite(in catalog: some WeightCatalog) -> String? {
        let places = catalog.names.compactMap { name in offset(of: name).map { (offset: $0, name: name) } }
        var unreleased = 0
        defer { releaseFilePages() }
        for (_, name) in places.sorted(by: { $0.offset < $1.offset }) {
            guard let entry = catalog.entry(named: name) else { continue }
            if hasNonFinite(name, entry) { return name }
            unreleased += entry.elementType.byteCount(of: entry.shape.checkedCount ?? 0)
            if unreleased > 1 << 26 {
                releaseFilePages()
                unreleased = 0
            }
        }
        return nil
    }

    private func hasNonFinite(_ name: String, _ entry: WeightEntry) -> Bool {
        guard let bytes = bytes(of: name, entry) else { return false }
        return switch entry.elementType {
        case .float64: Self.hasNonFinite(bytes, exponent: 0x7FF0_0000_0000_0000 as UInt64)
        case .float32: Self.hasNonFinite(bytes, exponent: 0x7F80_0000 as UInt32)
        case .float16: Self.hasNonFinite(bytes, exponent: 0x7C00 as UInt16)
        case .bfloat16: Self.hasNonFinite(bytes, exponent: 0x7F80 as UInt16)
        case .int64, .int32, .int16, .int8, .uint8, .int4, .boolean: false
        }
    }

    /// Whether a number has all the exponent's bits set: then one added to the exponent carries into the sign's bit.
    /// Looks at several numbers in a word at once, and at blocks of words without a branch inside.
    private static func hasNonFinite<Bits: FixedWidthInteger & UnsignedInteger>(
        _ bytes: UnsafeRawBufferPointer, exponent: Bits
    ) -> Bool {
        // One such number in every lane of a word.
        func word(_ bits: Bits) -> UInt64 {
            var word: UInt64 = 0
            for lane in stride(from: 0, to: 64, by: Bits.bitWidth) { word |= UInt64(bits) << UInt64(lane) }
            return word
        }
        let (mask, one) = (word(exponent), word(exponent & (~exponent &+ 1)))
        let sign = word(exponent & (~exponent &+ 1) &+ exponent)
        func carried(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) & mask &+ one
        }
        let words = bytes.count / 8
        var start = 0
        while start < words {
            let end = min(start + 2048, words)
            var found: UInt64 = 0
            for index in start..<end { found |= carried(index &* 8) }
            if found & sign != 0 { return true }
            start = end
        }
        let size = MemoryLayout<Bits>.size
        return stride(from: words * 8, to: bytes.count, by: size).contains { offset in
            let bits = Bits(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Bits.self))
            return bits & exponent == exponent
        }
    }
}

extension Float {
    /// The value of an IEEE 754 binary16 number, exactly. (`Float16` is not there on every processor.)
    init(float16 bits: UInt16) {
        let magnitude = UInt32(bits & 0x7FFF) << 13
        let sign = UInt32(bits & 0x8000) << 16
        // Moving the exponent field multiplies by 2^112; all ones in it stay all ones.
        let scaled = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
        let special = bits & 0x7C00 == 0x7C00
        self = Float(bitPattern: (special ? magnitude | 0x7F80_0000 : scaled) | sign)
    }
}
