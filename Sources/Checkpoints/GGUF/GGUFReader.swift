import TensorGraph

extension StoredTensors {
    /// The tensors of a GGUF file: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
    ///
    /// - Throws: ``FileError``, ``GGUFError``.
    static func gguf(_ file: RegularFile) throws -> StoredTensors {
        let mapping = try FileMapping([file], additionalBytes: 0)
        let stored = try gguf(UnsafeRawBufferPointer(mapping.file(0)), path: file.path)
        try mapping.validate()
        return stored
    }

    /// - Parameter bytes: The whole file.
    package static func gguf(_ bytes: UnsafeRawBufferPointer, path: String) throws(GGUFError)
        -> StoredTensors
    {
        var reader = GGUFReader(bytes, path: path)
        return try reader.read()
    }
}

/// Reads a GGUF file's header. Nothing is taken from the file unchecked: every count is held against the bytes that are
/// left before anything is made for it.
struct GGUFReader {
    private static let tensorLimit = 100_000
    private static let metadataLimit = 100_000
    private static let nameLimit = 4096
    private static let textLimit = 1 << 20
    /// As long as a safetensors header may be; the vocabularies of the largest language models are a tenth of it.
    private static let headerLimit = 100_000_000
    private static let shortestTensor = 32
    private static let shortestPair = 13

    private let bytes: UnsafeRawBufferPointer
    private let path: String
    private var position = 0
    private var alignment = 32

    init(_ bytes: UnsafeRawBufferPointer, path: String) {
        self.bytes = bytes
        self.path = path
    }

    /// A tensor as the header says it is.
    private struct Tensor {
        let name: String
        let shape: Shape
        let type: GGUFType
        /// From the start of the tensors' values.
        let offset: Int
        let byteCount: Int
        let blockCount: Int
    }

    mutating func read() throws(GGUFError) -> StoredTensors {
        position = 4
        let version = try number(UInt32.self)
        if version > 0xFFFF, version.byteSwapped <= 0xFFFF { throw failure(.bigEndian) }
        guard version == 2 || version == 3 else { throw failure(.version(version)) }
        let tensorCount = try count(
            of: "tensors", limit: Self.tensorLimit, shortest: Self.shortestTensor)
        let pairCount = try count(
            of: "metadata", limit: Self.metadataLimit, shortest: Self.shortestPair)
        let metadata = try metadata(pairCount)
        var tensors: [Tensor] = []
        tensors.reserveCapacity(tensorCount)
        for _ in 0..<tensorCount { tensors.append(try tensor()) }
        let start = (position + alignment - 1) / alignment * alignment
        try check(tensors, start: start)
        return StoredTensors(
            format: .gguf,
            tensors: tensors.map { tensor in
                let entry = WeightEntry(shape: tensor.shape, elementType: tensor.type.elementType)
                let offset = start + tensor.offset
                return StoredTensor(
                    name: tensor.name, entry: entry,
                    values: tensor.type.block.count == 1
                        ? .inPlace(offset: offset)
                        : .decoded(
                            QuantizedBlocks(
                                type: tensor.type, offset: offset, blockCount: tensor.blockCount)),
                    storedType: tensor.type.label)
            }, metadata: metadata)
    }

    /// Checks that no two tensors have one name, that all are in the file, and that none is in another.
    private func check(_ tensors: [Tensor], start: Int) throws(GGUFError) {
        var names: Set<ExactText> = []
        for tensor in tensors where !names.insert(ExactText(tensor.name)).inserted {
            throw failure(.tensor(tensor.name, reason: "there are two of this name"))
        }
        let available = max(0, bytes.count - start)
        var end = 0
        for tensor in tensors.sorted(by: { $0.offset < $1.offset }) {
            let (own, overflow) = tensor.offset.addingReportingOverflow(tensor.byteCount)
            guard !overflow, own <= available else {
                throw failure(
                    .tensor(
                        tensor.name,
                        reason:
                            "its \(tensor.byteCount) bytes from byte \(tensor.offset) of the values on are not "
                            + "in the file, which has \(available); the download may not be complete"))
            }
            guard tensor.offset >= end || tensor.byteCount == 0 else {
                throw failure(
                    .tensor(
                        tensor.name,
                        reason: "it begins at byte \(tensor.offset), where another one ends at \(end)"))
            }
            end = max(end, own)
        }
    }

    private mutating func tensor() throws(GGUFError) -> Tensor {
        let name = try name()
        let rank = try number(UInt32.self)
        guard rank <= 4 else {
            throw failure(.tensor(name, reason: "it has \(rank) axes; at most 4 are read"))
        }
        var dimensions: [Int] = []
        for _ in 0..<rank {
            let size = try number(UInt64.self)
            guard let size = Int(exactly: size) else {
                throw failure(.tensor(name, reason: "it has an axis of \(size)"))
            }
            dimensions.insert(size, at: 0)
        }
        let number = try number(UInt32.self)
        guard let type = GGUFType(rawValue: number) else {
            throw failure(
                .tensor(
                    name,
                    reason:
                        "its type is "
                        + (GGUFType.otherLabel(number).map { "\($0) (number \(number) of ggml's)" }
                            ?? "number \(number) of ggml's")
                        + ", which is not read; convert the model to F16, Q8_0 or a K quant"))
        }
        let shape = Shape(dimensions)
        guard let count = shape.checkedCount else {
            throw failure(.tensor(name, reason: "its shape \(shape) has more elements than can be counted"))
        }
        let block = type.block
        guard (dimensions.last ?? 1).isMultiple(of: block.count) else {
            throw failure(
                .tensor(
                    name,
                    reason:
                        "its rows have \(dimensions.last ?? 1) elements, where \(type.label) has blocks of "
                        + "\(block.count)"))
        }
        let (byteCount, overflow) = (count / block.count).multipliedReportingOverflow(by: block.byteCount)
        let stored = try self.number(UInt64.self)
        guard !overflow else {
            throw failure(
                .tensor(
                    name, reason: "its shape \(shape) of \(type.label) has more bytes than can be addressed"))
        }
        guard let offset = Int(exactly: stored) else {
            throw failure(
                .tensor(
                    name,
                    reason:
                        "its place, byte \(stored) of the values, is not in the file, which has \(bytes.count)"
                ))
        }
        guard offset.isMultiple(of: alignment) else {
            throw failure(
                .tensor(
                    name, reason: "its place, byte \(stored) of the values, is no multiple of \(alignment)"))
        }
        return Tensor(
            name: name, shape: shape, type: type, offset: offset, byteCount: byteCount,
            blockCount: count / block.count)
    }

    // MARK: Metadata

    /// The texts and numbers of the metadata, and the alignment, which is one of them.
    private mutating func metadata(_ count: Int) throws(GGUFError) -> [String: String] {
        var metadata: [String: String] = [:]
        var keys: Set<ExactText> = []
        for _ in 0..<count {
            let key = try name()
            guard keys.insert(ExactText(key)).inserted else {
                throw failure(.value(key: key, reason: "there are two values of this key"))
            }
            let type = try number(UInt32.self)
            if key == "general.alignment" {
                guard type == 4 else {
                    throw failure(.value(key: key, reason: "it is not a 32-bit number, but of type \(type)"))
                }
                let value = try number(UInt32.self)
                guard value.nonzeroBitCount == 1, (8...1 << 20).contains(value) else {
                    throw failure(.value(key: key, reason: "\(value) is no power of two from 8 to 1048576"))
                }
                alignment = Int(value)
            } else {
                metadata[key] = try value(type, key: key)
            }
        }
        return metadata
    }

    /// A value as text; nil for a list, which is passed over.
    private mutating func value(_ type: UInt32, key: String) throws(GGUFError) -> String? {
        switch type {
        case 0: return "\(try number(UInt8.self))"
        case 1: return "\(Int8(bitPattern: try number(UInt8.self)))"
        case 2: return "\(try number(UInt16.self))"
        case 3: return "\(Int16(bitPattern: try number(UInt16.self)))"
        case 4: return "\(try number(UInt32.self))"
        case 5: return "\(Int32(bitPattern: try number(UInt32.self)))"
        case 6: return "\(Float(bitPattern: try number(UInt32.self)))"
        case 7: return try number(UInt8.self) == 0 ? "false" : "true"
        case 8: return try text(limit: Self.textLimit, of: key)
        case 9:
            try skipList(key: key)
            return nil
        case 10: return "\(try number(UInt64.self))"
        case 11: return "\(Int64(bitPattern: try number(UInt64.self)))"
        case 12: return "\(Double(bitPattern: try number(UInt64.self)))"
        default:
            throw failure(.value(key: key, reason: "its type is number \(type), which GGUF does not have"))
        }
    }

    private mutating func skipList(key: String) throws(GGUFError) {
        let sizes: [UInt32: Int] = [0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8]
        let type = try number(UInt32.self)
        if type == 8 {
            let count = try count(of: "texts in \(key)", limit: .max, shortest: 8)
            for _ in 0..<count { try skip(try number(UInt64.self)) }
            return
        }
        guard let size = sizes[type] else {
            throw failure(
                .value(
                    key: key,
                    reason: type == 9
                        ? "it is a list of lists" : "it is a list of type \(type), which GGUF does not have"))
        }
        try skip(UInt64(try count(of: "numbers in \(key)", limit: .max, shortest: size) * size))
    }

    // MARK: Bytes

    private mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) throws(GGUFError) -> Number {
        let start = position
        try skip(UInt64(MemoryLayout<Number>.size))
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Number.self))
    }

    private mutating func skip(_ byteCount: UInt64) throws(GGUFError) {
        guard byteCount <= UInt64(bytes.count - position) else {
            throw failure(
                .truncated(offset: position, needed: byteCount, available: bytes.count - position))
        }
        position += Int(byteCount)
        guard position <= Self.headerLimit else { throw failure(.headerTooLong(limit: Self.headerLimit)) }
    }

    /// - Parameter shortest: How many bytes each takes at least.
    private mutating func count(of what: String, limit: Int, shortest: Int) throws(GGUFError) -> Int {
        let count = try number(UInt64.self)
        let room = (bytes.count - position) / shortest
        guard count <= UInt64(min(limit, room)) else {
            throw failure(
                room < limit
                    ? .noRoom(for: what, count: count, available: bytes.count - position, shortest: shortest)
                    : .count(of: what, count: count, limit: limit))
        }
        return Int(count)
    }

    /// - Parameter key: What it is the value of; nil for a name or a key.
    private mutating func text(limit: Int, of key: String?) throws(GGUFError) -> String {
        let length = try number(UInt64.self)
        let start = position
        try skip(length)
        let isLong = position - start > limit
        guard !isLong, let text = String(validating: bytes[start..<position], as: UTF8.self) else {
            let reason =
                isLong ? "it has \(length) bytes; at most \(limit) are read" : "it is not UTF-8"
            if let key { throw failure(.value(key: key, reason: reason)) }
            throw failure(
                .name(
                    String(decoding: bytes[start..<min(position, start + 64)], as: UTF8.self),
                    reason: reason, offset: start))
        }
        return text
    }

    private mutating func name() throws(GGUFError) -> String {
        let start = position
        let name = try text(limit: Self.nameLimit, of: nil)
        let isControl = name.hasControlCharacter
        guard !name.isEmpty, !isControl else {
            throw failure(
                .name(name, reason: isControl ? "it has a control character" : "it is empty", offset: start))
        }
        return name
    }

    private func failure(_ problem: GGUFError.Problem) -> GGUFError {
        GGUFError(path: path, problem: problem)
    }
}
