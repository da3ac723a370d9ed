import Foundation
import TensorGraph

/// Writes a safetensors file: https://github.com/huggingface/safetensors#format.
public struct SafetensorsWriter {
    private let groups: [PlannedTensor.Group]
    private let numbers: NumberType?
    private let metadata: [String: String]

    /// - Parameters:
    ///   - numbers: What floating-point numbers are stored as; nil leaves each as it is. Others stay whole numbers.
    ///   - metadata: The free text of the header.
    public init(_ groups: [PlannedTensor.Group], numbers: NumberType?, metadata: [String: String]) {
        self.groups = groups
        self.numbers = numbers
        self.metadata = metadata
    }

    private func type(of tensor: PlannedTensor, in weights: any WeightStorage) -> SafetensorsType {
        let own = tensor.elementType(in: weights)
        // What integers are multiplied by is not rounded.
        let isScale = [QuantizedWeights.scale, QuantizedWeights.range].contains { tensor.name.hasSuffix($0) }
        guard own.isFloatingPoint, !isScale, let numbers else { return SafetensorsType(own) }
        return numbers.storedType(rank: tensor.shape.rank)
    }

    /// Writes the file, which appears whole or not at all. Of each group one copy of its weights at most is in memory.
    ///
    /// - Throws: ``FileError``; `CancellationError` where the task is cancelled.
    public func write(to url: URL) throws {
        var offset = 0
        var header: [String] = []
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key < $1.key }
                .map { JSONValue.quoted($0.key) + ":" + JSONValue.quoted($0.value) }
            header.append("\"__metadata__\":{" + texts.joined(separator: ",") + "}")
        }
        for (weights, tensors) in groups {
            for tensor in tensors {
                let type = type(of: tensor, in: weights)
                let end = offset + (tensor.shape.checkedCount ?? 0) * (type.bitCount / 8)
                header.append(
                    "\(JSONValue.quoted(tensor.name)):{\"dtype\":\"\(type.rawValue)\","
                        + "\"shape\":\(tensor.shape.dimensions),\"data_offsets\":[\(offset),\(end)]}")
                offset = end
            }
        }
        var text = Array(("{" + header.joined(separator: ",") + "}").utf8)
        // Values begin at a multiple of 8 bytes.
        text += Array(repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        let file = try NewFile(at: url)
        try withUnsafeBytes(of: UInt64(text.count).littleEndian) { try file.write($0) }
        try text.withUnsafeBytes { try file.write($0) }
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

    private func write(
        _ tensor: PlannedTensor, of weights: any WeightStorage, _ mapped: MappedWeights, to file: NewFile
    ) throws {
        let type = type(of: tensor, in: weights)
        if tensor.sources.isEmpty {
            let zeros = [UInt8](repeating: 0, count: (tensor.shape.checkedCount ?? 0) * (type.bitCount / 8))
            try zeros.withUnsafeBytes { try file.write($0) }
        }
        for source in tensor.sources {
            guard let entry = weights.entry(named: source), let bytes = mapped.bytes(of: source, entry) else {
                continue
            }
            if SafetensorsType(entry.elementType) == type, type.bitCount == entry.elementType.bitCount,
                !tensor.isTransposed
            {
                try file.write(bytes)
                continue
            }
            let values = tensor.floats(of: source, entry, in: mapped)
            var stored = [UInt8](repeating: 0, count: values.count * (type.bitCount / 8))
            stored.withUnsafeMutableBytes { type.store(values, into: $0) }
            try stored.withUnsafeBytes { try file.write($0) }
        }
    }
}
