import Foundation
import TensorGraph

/// Writes a GGUF file, version 3, with matrices in blocks: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
///
/// What is in blocks is what stable-diffusion.cpp puts in blocks, so that it reads the file too: what has rows of whole
/// blocks, but for biases, embeddings and what computes the timestep's. Kernels have rows of their width, and stay.
public struct GGUFWriter {
    private let groups: [PlannedTensor.Group]
    private let blocks: BlockFormat
    private let numbers: NumberType?
    private let metadata: [String: String]
    private static let alignment = 32

    /// - Parameters:
    ///   - numbers: What the other floating-point numbers are stored as, of 16 bits or more; nil leaves each as it is.
    ///   - metadata: Texts under GGUF's keys, such as `general.architecture`.
    public init(
        _ groups: [PlannedTensor.Group], blocks: BlockFormat, numbers: NumberType?, metadata: [String: String]
    ) {
        self.groups = groups
        self.blocks = blocks
        self.numbers = numbers
        self.metadata = metadata
    }

    /// Writes the file, which appears whole or not at all. Of each group one copy of its weights at most is in memory.
    ///
    /// - Throws: ``FileError``; `CancellationError` where the task is cancelled.
    public func write(to url: URL) throws {
        let header = header
        let file = try NewFile(at: url)
        try header.withUnsafeBytes { try file.write($0) }
        for (weights, tensors) in groups {
            let mapped = try weights.map(Set(tensors.flatMap(\.sources)), additionalBytes: 0)
            for tensor in tensors {
                try Task.checkCancellation()
                try write(tensor, of: weights, mapped, to: file)
            }
            try mapped.validate()
        }
        try file.finish()
    }

    private var header: [UInt8] {
        var bytes = Array("GGUF".utf8)
        func append<Number: FixedWidthInteger>(_ number: Number) {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        func append(_ text: String) {
            append(UInt64(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        }
        append(UInt32(3))
        append(UInt64(groups.reduce(0) { $0 + $1.tensors.count }))
        append(UInt64(metadata.count + 1))
        // What came with GGUF's second kind of blocks; 4: a number of 32 bits, 8: text.
        append("general.quantization_version")
        append(UInt32(4))
        append(UInt32(2))
        for (key, text) in metadata.sorted(by: { $0.key < $1.key }) {
            append(key)
            append(UInt32(8))
            append(text)
        }
        var offset = 0
        for (weights, tensors) in groups {
            for tensor in tensors {
                append(tensor.name)
                append(UInt32(tensor.shape.rank))
                for size in tensor.shape.dimensions.reversed() { append(UInt64(size)) }
                append(type(of: tensor, in: weights).rawValue)
                append(UInt64(offset))
                offset += Self.aligned(byteCount(of: tensor, in: weights))
            }
        }
        bytes += Self.padding(bytes.count)
        return bytes
    }

    private func write(
        _ tensor: PlannedTensor, of weights: any WeightStorage, _ mapped: MappedWeights, to file: NewFile
    ) throws {
        let (type, byteCount) = (type(of: tensor, in: weights), byteCount(of: tensor, in: weights))
        if tensor.sources.isEmpty {
            let zeros = [UInt8](repeating: 0, count: byteCount)
            try zeros.withUnsafeBytes { try file.write($0) }
        }
        for source in tensor.sources {
            guard let entry = weights.entry(named: source), let bytes = mapped.bytes(of: source, entry) else {
                continue
            }
            if type == GGUFType(entry.elementType), entry.elementType.bitCount >= 8, !tensor.isTransposed {
                try file.write(bytes)
                continue
            }
            let values = tensor.floats(of: source, entry, in: mapped)
            if type == blocks.type {
                try blocks.blocks(of: values).withUnsafeBytes { try file.write($0) }
            } else if let stored = type.number {
                var bytes = [UInt8](repeating: 0, count: values.count * type.block.byteCount)
                bytes.withUnsafeMutableBytes { stored.store(values, into: $0) }
                try bytes.withUnsafeBytes { try file.write($0) }
            }
        }
        try Self.padding(byteCount).withUnsafeBytes { try file.write($0) }
    }

    private func type(of tensor: PlannedTensor, in weights: any WeightStorage) -> GGUFType {
        let own = tensor.elementType(in: weights)
        guard own.isFloatingPoint else { return GGUFType(own) }
        if isInBlocks(tensor) { return blocks.type }
        return GGUFType(numbers?.elementType ?? own)
    }

    private func isInBlocks(_ tensor: PlannedTensor) -> Bool {
        tensor.shape.rank >= 2 && tensor.shape[-1].isMultiple(of: BlockFormat.count)
            && !tensor.name.hasSuffix("bias")
            && !["embedding", "time_embed.", "label_emb."].contains { tensor.name.contains($0) }
    }

    private func byteCount(of tensor: PlannedTensor, in weights: any WeightStorage) -> Int {
        let block = type(of: tensor, in: weights).block
        return (tensor.shape.checkedCount ?? 0) / block.count * block.byteCount
    }

    private static func aligned(_ byteCount: Int) -> Int {
        (byteCount + alignment - 1) / alignment * alignment
    }

    private static func padding(_ byteCount: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: aligned(byteCount) - byteCount)
    }
}

extension GGUFType {
    /// What ggml has for a type of elements; bytes without a sign and plain integers of 4 bits it does not have.
    fileprivate init(_ type: ElementType) {
        self =
            switch type {
            case .float64: .float64
            case .float32: .float32
            case .float16: .float16
            case .bfloat16: .bfloat16
            case .int64: .int64
            case .int32: .int32
            case .int16: .int16
            case .int8, .uint8, .int4, .boolean: .int8
            }
    }

    /// The same of safetensors, for floating-point numbers and bytes.
    fileprivate var number: SafetensorsType? {
        switch self {
        case .float64: .float64
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .int8: .int8
        default: nil
        }
    }
}

extension NumberType {
    /// What a graph reads them as.
    fileprivate var elementType: ElementType {
        switch self {
        case .float64: .float64
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .float16, .float8E4M3, .float8E5M2: .float16
        }
    }
}
