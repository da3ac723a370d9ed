import EngineInterface

/// Whether a device's cooperative matrices compute what they are to: one product of whole numbers, of which the result is
/// known to the bit. Drivers differ in how large their subgroups are where matrices are held, and a wrong one would be seen
/// in pictures alone.
struct MatrixCheck {
    /// The smallest tile.
    static let smallest = ProductTile(32, 64, each: 16, 32)

    private let product: CooperativeProduct
    private var shape: ProductShape { product.shape }

    /// A check of a way to divide products: of one whole tile, and of what is left over in each direction.
    ///
    /// - Returns: nil where the device does not take that tile.
    init?(_ tile: ProductTile, _ tuning: Tuning) {
        let shape = ProductShape(
            kind: .matrices(byColumns: false), rows: tile.rows + 8, columns: tile.columns + 8, depth: 104,
            batches: 1)
        var tuning = tuning
        tuning.productChoice = ProductChoice(tile: tile, parts: 1)
        guard let product = CooperativeProduct(shape, tuning, isFitting: true), product.choice.tile == tile
        else { return nil }
        self.product = product
    }

    var kernel: Kernel {
        product.kernel(
            .cooperativeMatrixMultiply,
            ProductEnd(bias: nil, pictureBias: nil, residual: nil, function: .identity, scale: 1), [0, 0])
    }

    func passes(on device: VulkanDevice) -> Bool { (try? results(device)) == expected }

    private static func left(_ row: Int, _ inner: Int) -> Int { (row * 2 + inner * 3) % 5 - 2 }
    private static func right(_ column: Int, _ inner: Int) -> Int { (column * 5 + inner) % 7 - 3 }

    private var expected: [UInt16] {
        // Rows repeat after five, columns after seven.
        let sums = (0..<5).map { row in
            (0..<7).map { column in
                Self.half((0..<shape.depth).reduce(0) { $0 + Self.left(row, $1) * Self.right(column, $1) })
            }
        }
        return (0..<shape.rows).flatMap { row in (0..<shape.columns).map { sums[row % 5][$0 % 7] } }
    }

    /// The product as the device computes it.
    private func results(_ device: VulkanDevice) throws(EngineError) -> [UInt16] {
        let (rows, columns, depth) = (shape.rows, shape.columns, shape.depth)
        let graph = "matrix check"
        let a = (0..<rows).flatMap { row in (0..<depth).map { Self.half(Self.left(row, $0)) } }
        let b = (0..<columns).flatMap { column in (0..<depth).map { Self.half(Self.right(column, $0)) } }
        let factors = try DeviceBuffer(
            byteCount: (a.count + b.count) * 2, in: .staging, of: device, graph: graph)
        let sums = try DeviceBuffer(byteCount: rows * columns * 2, in: .results, of: device, graph: graph)
        guard let source = factors.pointer, let target = sums.pointer else {
            preconditionFailure("the CPU sees both")
        }
        (a + b).withUnsafeBytes {
            UnsafeMutableRawBufferPointer(start: source, count: $0.count).copyMemory(from: $0)
        }
        let numbers =
            [rows, columns, depth, depth, 1, depth, 1, columns, 0, 1] + [Int](repeating: 0, count: 8)
        let call = KernelCall(
            kernel: kernel, operands: [],
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
