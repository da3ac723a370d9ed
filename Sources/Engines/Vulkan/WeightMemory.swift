import Checkpoints
import EngineInterface
import TensorGraph

/// Weights and constants in the device's memory, as the kernels want them.
///
/// Bytes go from the mapped checkpoint to memory that the device sees, whence a kernel takes them to their place in the
/// graph's precision and order of axes, while the next ones are copied.
struct WeightMemory {
    private let places: [(buffer: DeviceBuffer, offset: Int)]
    /// Of each weight.
    let addresses: [UInt64]

    /// - Throws: ``EngineError``.
    init(
        _ placed: [Lowering.PlacedWeight], from weights: any WeightStorage, to device: VulkanDevice,
        isHalf: Bool, graph: String, stagingByteCount: Int
    ) throws {
        let places = try DeviceBuffer.places(
            for: placed.map { $0.byteCount(isHalf: isHalf) }, in: .device, of: device, graph: graph)
        self.places = places
        addresses = places.map { $0.buffer.address + UInt64($0.offset) }

        let names = placed.flatMap(\.source.names)
        let mapped = try weights.map(Set(names), additionalBytes: 0)
        var upload = try WeightUpload(
            device, isHalf: isHalf, graph: graph, stagingByteCount: stagingByteCount)
        // Where a weight cannot be read, the device is still at work on those before.
        defer { withExtendedLifetime(places) { upload.waitUntilIdle() } }
        for (weight, address) in zip(placed, addresses) {
            try upload.add(weight, of: weights, mapped, to: address)
        }
        try upload.finish()
        try mapped.validate()
        mapped.releaseFilePages()
    }
}

/// Two stages, of which the device empties one while the other is filled.
struct WeightUpload {
    private struct Stage {
        let buffer: DeviceBuffer
        let commands: Commands
        var filled = 0
        var calls: [(call: KernelCall, addresses: [UInt64])] = []
    }

    private var stages: [Stage]
    private var current = 0
    private let isHalf: Bool
    private let graph: String

    init(_ device: VulkanDevice, isHalf: Bool, graph: String, stagingByteCount: Int) throws {
        self.isHalf = isHalf
        self.graph = graph
        stages = try (0..<2).map { _ in
            Stage(
                buffer: try DeviceBuffer(
                    byteCount: stagingByteCount, in: .staging, of: device, graph: graph),
                commands: try Commands(device, graph: graph))
        }
    }

    /// Takes a weight or a constant to its address.
    mutating func add(
        _ weight: Lowering.PlacedWeight, of weights: any WeightStorage, _ mapped: MappedWeights,
        to address: UInt64
    ) throws {
        switch weight.source {
        case .rows(let parts, let counts):
            // Rows are in their own order: one part follows the other.
            var start = address
            for (part, count) in zip(parts, counts) {
                let shape = [count] + weight.shape.dropFirst()
                let own = Lowering.PlacedWeight(
                    source: part, shape: shape, order: weight.order, element: weight.element)
                try add(own, of: weights, mapped, to: start)
                start += UInt64(own.count * (isHalf && own.element == .number ? 2 : 4))
            }
        case .constant(let tensor):
            switch tensor.elements {
            case .float32(let values):
                try values.withUnsafeBytes { try add($0, storedAs: .float32, shape: weight, to: address) }
            case .int32(let values):
                try values.withUnsafeBytes { try add($0, storedAs: .int32, shape: weight, to: address) }
            }
        case .weight(let name, let storage):
            guard let entry = weights.entry(named: name), let offset = mapped.offset(of: name) else {
                throw EngineError.failed(
                    engine: "vulkan", graph: graph, reason: "the weights have no \"\(name)\"")
            }
            switch storage {
            case .float32, .float16, .bfloat16, .int8, .int4:
                let bytes = UnsafeRawBufferPointer(
                    rebasing: mapped.bytes[offset..<offset + storage.byteCount(of: weight.count)])
                try add(bytes, storedAs: storage, shape: weight, to: address)
            case .float64, .int64, .int32, .int16, .uint8, .boolean:
                let values = [Float](unsafeUninitializedCapacity: weight.count) { buffer, count in
                    count = mapped.readFloats(of: name, entry, from: 0, into: buffer)
                }
                try values.withUnsafeBytes { try add($0, storedAs: .float32, shape: weight, to: address) }
            }
        }
    }

    /// Takes a weight's bytes to an address, in parts where they are more than a stage holds.
    mutating func add(
        _ bytes: UnsafeRawBufferPointer, storedAs type: ElementType, shape weight: Lowering.PlacedWeight,
        to address: UInt64
    ) throws {
        // What is in its own order is one row of numbers.
        let isPlain = weight.order == Array(weight.shape.indices)
        let shape = isPlain ? [weight.count] : weight.shape
        let order = isPlain ? [0] : weight.order
        let strides = View.strides(of: shape, in: order)
        let isHalf = isHalf && weight.element == .number
        let size = isHalf ? 2 : 4
        guard weight.count > 0 else { return }
        let rowSize = weight.count / shape[0]
        let most = stages[0].buffer.byteCount
        // A part begins with a byte, which two rows may share.
        let together = type.byteCount(of: 2 * rowSize) == 2 * type.byteCount(of: rowSize) ? 1 : 2
        let unit = type.byteCount(of: together * rowSize)
        guard unit <= most else {
            throw EngineError.failed(
                engine: "vulkan", graph: graph,
                reason: "a weight of \(weight.shape) has rows larger than \(most) bytes")
        }
        var row = 0
        while row < shape[0] {
            // Kernels read whole words.
            var start = (stages[current].filled + 15) & ~15
            if start + unit > most {
                try turn()
                start = 0
            }
            let rows = min(shape[0] - row, (most - start) / unit * together)
            let part = UnsafeRawBufferPointer(
                rebasing: bytes[
                    type.byteCount(of: row * rowSize)..<type.byteCount(of: (row + rows) * rowSize)])
            guard let target = stages[current].buffer.pointer else {
                preconditionFailure("stages are seen by the CPU")
            }
            UnsafeMutableRawBufferPointer(start: target + start, count: part.count).copyMemory(from: part)
            stages[current].filled = start + part.count
            var partShape = shape
            partShape[0] = rows
            stages[current].calls.append(
                (
                    try call(partShape, strides, type, isHalf: isHalf),
                    [
                        stages[current].buffer.address + UInt64(start),
                        address + UInt64(row * strides[0] * size),
                    ]
                ))
            row += rows
        }
    }

    private func call(
        _ shape: [Int], _ strides: [Int], _ type: ElementType, isHalf: Bool
    ) throws -> KernelCall {
        let axes = MergedAxes(shape, order: Array(shape.indices), [Shape(shape).strides, strides])
        guard axes.sizes.count <= 6 else {
            throw EngineError.failed(
                engine: "vulkan", graph: graph, reason: "a weight of \(shape) has too many axes")
        }
        let count = shape.reduce(1, *)
        let sizes = MergedAxes.padded(axes.sizes, to: 6, with: 1)
        let targets = MergedAxes.padded(axes.strides[1], to: 6, with: 0)
        if type == .int32 {
            let sources = MergedAxes.padded(axes.strides[0], to: 6, with: 0)
            return KernelCall(
                kernel: Kernel(shader: .copy, isHalf: false, constants: [Int32(axes.rank)]), operands: [],
                parameters: [UInt32(count)] + sizes + sources + targets,
                workgroups: Workgroups(invocations: count))
        }
        let number: Int32 =
            switch type {
            case .float16: 1
            case .bfloat16: 2
            case .int8: 3
            case .int4: 4
            default: 0
            }
        return KernelCall(
            kernel: Kernel(shader: .load, isHalf: isHalf, constants: [Int32(axes.rank), number]),
            operands: [], parameters: [UInt32(count)] + sizes + targets,
            workgroups: Workgroups(invocations: count))
    }

    /// Has the device empty the stage, and goes on with the other one.
    private mutating func turn() throws {
        try start()
        current = 1 - current
        try stages[current].commands.finish()
        stages[current].filled = 0
    }

    private mutating func start() throws {
        let stage = stages[current]
        guard !stage.calls.isEmpty else { return }
        try stage.commands.record(isUsedOnce: true) { () throws(EngineError) in
            for (call, addresses) in stage.calls { try stage.commands.dispatch(call, at: addresses) }
        }
        try stage.commands.start()
        stages[current].calls = []
    }

    mutating func finish() throws {
        try start()
        for stage in stages { try stage.commands.finish() }
    }

    /// Waits until the device has nothing to do with the stages and with what they are emptied to, after an error too: they
    /// may be given back then.
    func waitUntilIdle() {
        for stage in stages { try? stage.commands.finish() }
    }
}

extension Lowering.PlacedWeight.Source {
    /// The weights that it is made of.
    var names: [String] {
        switch self {
        case .weight(let name, _): [name]
        case .constant: []
        case .rows(let parts, _): parts.flatMap(\.names)
        }
    }
}

extension Lowering.PlacedWeight {
    /// The bytes that it takes, with what keeps the next one's place a multiple of 256.
    func byteCount(isHalf: Bool) -> Int {
        (count * (isHalf && element == .number ? 2 : 4) + 255) & ~255
    }
}
