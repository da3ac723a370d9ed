import Checkpoints
import TensorGraph

/// Weights that a test makes up, stored as any floating-point type or as integers of 8 or 4 bits.
public struct InMemoryWeights: WeightStorage {
    public let origin = "memory"
    private let tensors: [String: (entry: WeightEntry, bytes: [UInt8])]

    public init() { tensors = [:] }

    private init(_ tensors: [String: (entry: WeightEntry, bytes: [UInt8])]) { self.tensors = tensors }

    /// The weights and one more: values in row-major order, rounded to the type they are stored as;
    /// integers of 8 bits are 127 times the values, those of 4 bits 7 times.
    public func adding(
        _ name: String, _ shape: Shape, _ values: [Float], storedAs type: ElementType = .float32
    ) -> InMemoryWeights {
        precondition(values.count == shape.count, "\(values.count) values for a tensor of shape \(shape)")
        var tensors = tensors
        tensors[name] = (
            WeightEntry(shape: shape, elementType: type), stored(values, as: type)
        )
        return InMemoryWeights(tensors)
    }

    public var names: [String] { Array(tensors.keys) }

    public func entry(named name: String) -> WeightEntry? { tensors[name]?.entry }

    public func map(_ names: Set<String>, additionalBytes: Int) throws -> MappedWeights {
        var offsets: [String: Int] = [:]
        var all: [UInt8] = []
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            offsets[name] = all.count
            all += tensor.bytes
        }
        // As behind the pages of a file, the engine's own memory begins where it suits every type.
        all += [UInt8](repeating: 0, count: -all.count & 63)
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(all.count + additionalBytes, 1), alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        bytes.copyBytes(from: all)
        let address = UInt(bitPattern: bytes.baseAddress)
        return MappedWeights(
            bytes: bytes, additionalOffset: all.count, offsets: offsets,
            release: { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() })
    }
}

private func stored(_ values: [Float], as type: ElementType) -> [UInt8] {
    guard type == .int4 else { return values.flatMap { stored($0, as: type) } }
    var bytes = [UInt8](repeating: 0, count: type.byteCount(of: values.count))
    for (index, value) in values.enumerated() {
        let level = UInt8(bitPattern: Int8(max(-8, min(7, (value * 7).rounded()))))
        bytes[index / 2] |= (level & 15) << (index % 2 * 4)
    }
    return bytes
}

private func stored(_ value: Float, as type: ElementType) -> [UInt8] {
    func bytes<T>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value, Array.init) }
    switch type {
    case .float64: return bytes(Double(value))
    case .float32: return bytes(value)
    case .float16: return bytes(halfPrecision(value))
    case .bfloat16: return bytes(UInt16(truncatingIfNeeded: value.bitPattern >> 16))
    case .int8: return bytes(Int8(clamping: Int((value * 127).rounded())))
    case .int64, .int32, .int16, .uint8, .int4, .boolean:
        preconditionFailure("weights are not \(type)")
    }
}

/// The bits of a number in IEEE 754's half precision, cut towards zero; for numbers of middling size.
private func halfPrecision(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let exponent = Int(value.bitPattern >> 23 & 0xFF) - 127 + 15
    guard exponent > 0 else { return sign }
    precondition(exponent < 31, "\(value) is too large for half precision")
    return sign | UInt16(exponent) << 10 | UInt16(truncatingIfNeeded: value.bitPattern >> 13 & 0x3FF)
}
