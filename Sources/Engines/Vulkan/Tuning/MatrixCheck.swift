import EngineInterface

/// Whether a device's cooperative matrices compute what they are to: one product of whole numbers, of which the result is
/// known to the bit. Drivers differ in how large their subgroups are where matrices are held, and a wrong one would be seen
/// in pictures alone.
enum MatrixCheck {
    private static let (rows, columns, depth) = (40, 72, 48)

    static func passes(_ device: VulkanDevice, _ tuning: Tuning) -> Bool {
        (try? results(device, tuning)) == expected
    }

    private static func left(_ row: Int, _ inner: Int) -> Int { (row * 7 + inner * 3) % 7 - 3 }
    private static func right(_ column: Int, _ inner: Int) -> Int { (column * 5 + inner) % 7 - 3 }

    private static var expected: [UInt16] {
        (0..<rows).flatMap { row in
            (0..<columns).map { column in
                half((0..<depth).reduce(0) { $0 + left(row, $1) * right(column, $1) })
            }
        }
    }

    /// The product as the device computes it; nil where it would compute it otherwise.
    private static func results(_ device: VulkanDevice, _ tuning: Tuning) throws(EngineError) -> [UInt16]? {
        let shape = ProductShape(
            kind: .matrices(byColumns: false), rows: rows, columns: columns, depth: depth, batches: 1)
        var tuning = tuning
        tuning.productChoice = ProductChoice(tile: ProductTile(32, 64, each: 16, 32), parts: 1)
        guard let product = CooperativeProduct(shape, tuning, isFitting: true) else { return nil }
        let graph = "matrix check"
        let a = (0..<rows).flatMap { row in (0..<depth).map { half(left(row, $0)) } }
        let b = (0..<columns).flatMap { column in (0..<depth).map { half(right(column, $0)) } }
        let factors = try DeviceBuffer(
            byteCount: (a.count + b.count) * 2, in: .staging, of: device, graph: graph)
        let sums = try DeviceBuffer(byteCount: rows * columns * 2, in: .results, of: device, graph: graph)
        guard let source = factors.pointer, let target = sums.pointer else { return nil }
        (a + b).withUnsafeBytes {
            UnsafeMutableRawBufferPointer(start: source, count: $0.count).copyMemory(from: $0)
        }
        let end = ProductEnd(bias: nil, pictureBias: nil, residual: nil, function: .identity, scale: 1)
        let numbers =
            [rows, columns, depth, depth, 1, depth, 1, columns, 0, 1] + [Int](repeating: 0, count: 8)
        let call = KernelCall(
            kernel: product.kernel(.cooperativeMatrixMultiply, end, [0, 0]), operands: [],
            parameters: numbers.map { UInt32($0) } + [Float(1).bitPattern, UInt32(product.partDepth)],
            workgroups: product.workgroups)
        try device.run(
            call, at: [factors.address, factors.address + UInt64(a.count * 2), sums.address, 0, 0],
            graph: graph)
        return Array(
            UnsafeBufferPointer(start: target.assumingMemoryBound(to: UInt16.self), count: rows * columns))
    }

    /// A whole number of at most eleven bits in IEEE 754's half precision.
    private static func half(_ number: Int) -> UInt16 {
        guard number != 0 else { return 0 }
        let magnitude = UInt16(abs(number))
        let exponent = 15 - UInt16(magnitude.leadingZeroBitCount)
        return (number < 0 ? 0x8000 : 0) | (exponent + 15) << 10 | (magnitude << (10 - exponent)) & 0x3FF
    }
}
