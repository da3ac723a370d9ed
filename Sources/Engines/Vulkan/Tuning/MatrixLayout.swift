import CVulkanLoader
import EngineInterface

/// Which elements of cooperative matrices an invocation has, which the extension leaves to drivers: found out by asking for
/// matrices of which every element is known.
///
/// It is told only where it is as `attention_registers.comp` takes it to be: matrices of 16 × 16, with subgroups of 32; sums and
/// left factors alike; the invocations 4i to 4i + 3 share the rows i and i + 8, and of each eight columns have two neighbours.
struct MatrixLayout: Sendable, Hashable {
    /// Of an invocation's eight elements, those that are eight rows after the first: a bit each.
    let lower: Int32
    /// Those that are eight columns after the first.
    let righter: Int32

    /// - Returns: nil where the layout is another one.
    init?(_ device: VulkanDevice, _ matrices: CooperativeMatrices) throws(EngineError) {
        guard matrices.m == 16, matrices.n == 16, matrices.k == 16, matrices.subgroupSize == 32 else {
            return nil
        }
        let name = "matrix layout"
        let buffer = try DeviceBuffer(byteCount: 512 * 4, in: .results, of: device, graph: name)
        let call = KernelCall(
            kernel: matrices.kernel(.matrixLayout, subgroups: 1),
            operands: [], parameters: [], workgroups: Workgroups(1))
        try device.run(call, at: [buffer.address], graph: name)
        guard let pointer = buffer.pointer else { return nil }
        self.init(Array(UnsafeBufferPointer(start: pointer.assumingMemoryBound(to: Float.self), count: 512)))
    }

    /// - Parameter numbers: What `matrix_layout.comp` writes.
    init?(_ numbers: [Float]) {
        var (lower, righter): (Int32, Int32) = (0, 0)
        for element in 0..<8 {
            guard let number = Int(exactly: numbers[element]) else { return nil }
            if number / 16 >= 8 { lower |= 1 << Int32(element) }
            if number % 16 >= 8 { righter |= 1 << Int32(element) }
        }
        for lane in 0..<32 {
            for element in 0..<8 {
                let row = lane / 4 + Int(lower >> Int32(element) & 1) * 8
                let column = lane % 4 * 2 + element % 2 + Int(righter >> Int32(element) & 1) * 8
                let expected = Float(row * 16 + column)
                guard numbers[lane * 8 + element] == expected,
                    numbers[256 + lane * 8 + element] == expected
                else { return nil }
            }
        }
        self.lower = lower
        self.righter = righter
    }
}
