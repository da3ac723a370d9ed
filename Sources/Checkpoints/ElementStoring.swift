import CArithmetic

extension SafetensorsType {
    /// Writes numbers as elements of a floating-point type or of integers of 8 bits, each the nearest there is.
    func store(_ values: [Float], into bytes: UnsafeMutableRawBufferPointer) {
        values.withUnsafeBufferPointer { store($0, into: bytes) }
    }

    /// The same of numbers in memory.
    func store(_ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
        func write<Stored: FixedWidthInteger>(_ convert: (Float) -> Stored) {
            let size = MemoryLayout<Stored>.size
            for (index, value) in values.enumerated() {
                bytes.storeBytes(of: convert(value).littleEndian, toByteOffset: index * size, as: Stored.self)
            }
        }
        switch self {
        case .float64: write { Double($0).bitPattern }
        case .float32: write { $0.bitPattern }
        case .float16: Self.storeHalves(values, into: bytes)
        case .bfloat16: write { UInt16(bfloat16: $0) }
        case .float8E4M3: write { UInt8(float8E4M3: $0) }
        case .float8E5M2: write { UInt8(float8E5M2: $0) }
        case .int8: write { Int8(max(-128, min(127, $0.rounded(.toNearestOrEven)))) }
        default: break
        }
    }

    private static func storeHalves(
        _ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer
    ) {
        guard let target = bytes.baseAddress, bytes.count >= values.count * 2 else { return }
        easel_halves_from_floats(values.baseAddress, target, values.count)
    }
}
