import EngineInterface

/// How long a run took on the device, and each of its dispatches.
package struct RunTimes: Sendable {
    /// From the first dispatch's begin to the last one's end, where they overlap as they usually do.
    package let seconds: Double
    /// In order, each alone.
    package let calls: [KernelTime]
}

/// One dispatch: what it did and how long it took.
package struct KernelTime: Sendable {
    /// The file in `Shaders`.
    package let shader: String
    /// Rows × columns × depth (× matrices) of products and of convolutions and attention as such; else the shape of what is
    /// written.
    package let shape: String
    package let workgroups: Int
    /// How a product is divided; empty where nothing was chosen.
    package let division: String
    /// The multiplications and additions of its products.
    package let operationCount: Int
    /// The bytes of what it reads and writes, each once.
    package let byteCount: Int
    package var seconds: Double

    /// The same dispatch with another time.
    package func lasting(_ seconds: Double) -> KernelTime {
        var time = self
        time.seconds = seconds
        return time
    }
}

extension KernelTime {
    /// - Parameter elementByteCount: The bytes of one element.
    init(_ call: KernelCall, seconds: Double, elementByteCount: (Element) -> Int) {
        shader = call.kernel.shader.rawValue
        let sizes =
            call.products.map {
                [$0.rows, $0.columns, $0.depth] + ($0.batches == 1 ? [] : [$0.batches])
            } ?? call.operands.first(where: \.isWritten)?.view.shape ?? []
        shape = sizes.map(String.init).joined(separator: "×")
        workgroups = call.workgroups.x * call.workgroups.y * call.workgroups.z
        division = call.division?.choice.description ?? ""
        operationCount = call.products?.operationCount ?? 0
        byteCount = call.operands.reduce(0) {
            guard $1.view.storage != .absent else { return $0 }
            return $0 + $1.view.distinctCount * elementByteCount($1.view.element)
        }
        self.seconds = seconds
    }
}

extension VulkanEngine {
    /// The bytes a second that the device reads and writes when it copies its own memory, counted both: the median of some
    /// copies.
    ///
    /// - Parameter byteCount: Of one copy; more than the device's caches hold.
    /// - Throws: ``EngineError``.
    package func copyBandwidth(byteCount: Int = 1 << 30, copies: Int = 11) throws -> Double {
        let name = "copies"
        let source = try DeviceBuffer(byteCount: byteCount, in: .device, of: device, graph: name)
        let target = try DeviceBuffer(byteCount: byteCount, in: .device, of: device, graph: name)
        let commands = try Commands(device, graph: name)
        // By a shader: drivers may have a slower way for commands that copy.
        let count = byteCount / 16
        let call = KernelCall(
            kernel: Kernel(shader: .unary, isHalf: false, constants: [Function.identity.rawValue, 1]),
            operands: [], parameters: [UInt32(count)], workgroups: Workgroups(invocations: count))
        let stamps = try TimeStamps(count: copies + 1, device, graph: name)
        try commands.record(isUsedOnce: false) { () throws(EngineError) in
            commands.reset(stamps)
            commands.write(0, of: stamps)
            for copy in 1...copies {
                try commands.dispatch(call, at: [source.address, target.address])
                commands.barrier()
                commands.write(copy, of: stamps)
            }
        }
        // The first time, clocks rise.
        for _ in 0..<2 {
            try commands.start()
            try commands.finish()
        }
        let seconds = try stamps.intervals().sorted()
        return Double(2 * byteCount) / seconds[copies / 2]
    }

    /// The multiplications and additions a second of cooperative matrices that stay in registers; nil where there are none.
    ///
    /// - Throws: ``EngineError``.
    package func matrixRate() throws -> Double? {
        guard let matrices = tuning.matrices else { return nil }
        let name = "matrices"
        let (rounds, sums, subgroups, workgroups) = (4096, 8, 8, 2048)
        let results = try DeviceBuffer(byteCount: workgroups * 16, in: .device, of: device, graph: name)
        let commands = try Commands(device, graph: name)
        let stamps = try TimeStamps(count: 4, device, graph: name)
        let call = KernelCall(
            kernel: matrices.kernel(.matrixRate, subgroups: subgroups, [Int32(sums)]),
            operands: [], parameters: [UInt32(rounds)], workgroups: Workgroups(workgroups))
        try commands.record(isUsedOnce: false) { () throws(EngineError) in
            commands.reset(stamps)
            commands.write(0, of: stamps)
            for time in 1..<4 {
                try commands.dispatch(call, at: [results.address])
                commands.barrier()
                commands.write(time, of: stamps)
            }
        }
        try commands.start()
        try commands.finish()
        let seconds = try stamps.intervals().sorted()[1]
        let each = 2 * matrices.m * matrices.n * matrices.k * rounds * sums
        return Double(each * subgroups * workgroups) / seconds
    }
}
