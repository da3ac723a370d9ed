import TensorGraph

/// A tensor of a file, and how its values come from the file's bytes.
package struct StoredTensor: Sendable {
    package let name: String
    package let entry: WeightEntry
    package let values: Values
    /// How the file stores them, in the words of safetensors or ggml: `F16`, `Q4_K`, ….
    let storedType: String

    package enum Values: Sendable {
        /// They are the file's bytes from this one on.
        case inPlace(offset: Int)
        /// They are made of the file's bytes.
        case decoded(any TensorDecoder)
    }
}

/// Makes a tensor's values, in row-major order, of bytes in a file that are not these values in that order.
package protocol TensorDecoder: Sendable {
    /// - Parameters:
    ///   - file: All bytes of the file.
    ///   - values: As many bytes as the tensor's shape and type take.
    func decode(_ file: UnsafeRawBufferPointer, into values: UnsafeMutableRawBufferPointer)
}

/// What one file has, whatever its format.
package struct StoredTensors: Sendable {
    let format: CheckpointFormat
    package let tensors: [StoredTensor]
    /// Free text under free keys.
    let metadata: [String: String]
    /// Of a zip archive, in the order of the file.
    let members: [ZipMember]
    /// The names of what only says how other tensors are to be read, and is none of them.
    let notes: Set<String>

    /// - Throws: ``FileError``, ``SafetensorsError``, ``TorchError``, ``GGUFError``, or ``CheckpointError`` for a text.
    init(reading file: RegularFile) throws {
        let start = try file.read(byteCount: min(file.byteCount, CheckpointFormat.recognizedBytes), at: 0)
        switch CheckpointFormat(start) {
        case .gguf: self = try .gguf(file)
        case .torchArchive: self = try .torchArchive(file)
        case .torchLegacy: self = try .torchLegacy(file)
        case .safetensors:
            // A pointer of Git LFS is told by the header's reader, with what fetches its file.
            if let text = try PlainText(of: file), !text.isGitLFSPointer {
                throw CheckpointError.text(path: file.path, kind: "\(text.kind)", start: text.start)
            }
            let header = try SafetensorsHeader(reading: file)
            self.init(header, try Float8Scales(header, in: file))
        }
    }

    init(
        format: CheckpointFormat, tensors: [StoredTensor], metadata: [String: String],
        members: [ZipMember] = [], notes: Set<String> = []
    ) {
        self.format = format
        self.tensors = tensors
        self.metadata = metadata
        self.members = members
        self.notes = notes
    }

    private init(_ header: SafetensorsHeader, _ scales: Float8Scales) {
        self.init(
            format: .safetensors,
            tensors: header.tensors.filter { !scales.isNote($0.name) }.map { tensor in
                let decoder = SafetensorsType(rawValue: tensor.storedType).flatMap {
                    Float8Values($0, offset: tensor.offset, scale: scales.scale(of: tensor.name))
                }
                return StoredTensor(
                    name: tensor.name, entry: tensor.entry,
                    values: decoder.map { .decoded($0) } ?? .inPlace(offset: tensor.offset),
                    storedType: tensor.storedType)
            }, metadata: header.metadata, notes: Set(header.tensors.map(\.name).filter(scales.isNote)))
    }
}
