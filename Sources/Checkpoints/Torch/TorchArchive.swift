import TensorGraph

extension StoredTensors {
    /// The tensors of a zip archive that `torch.save` wrote: `data.pkl` says what they are, and each storage is a member
    /// `data/<key>`.
    ///
    /// - Throws: ``FileError``, ``TorchError``.
    static func torchArchive(_ file: RegularFile) throws -> StoredTensors {
        let mapping = try FileMapping([file], additionalBytes: 0)
        mapping.expectScatteredReading()
        let stored = try torchArchive(
            UnsafeRawBufferPointer(mapping.file(0)), path: file.path)
        try mapping.validate()
        return stored
    }

    /// - Parameter bytes: The whole file.
    package static func torchArchive(_ bytes: UnsafeRawBufferPointer, path: String) throws(TorchError)
        -> StoredTensors
    {
        let zip = try ZipDirectory(bytes, path: path)
        let pickles = zip.members.keys.filter { $0.hasSuffix("/data.pkl") || $0 == "data.pkl" }
        guard let pickle = pickles.first, pickles.count == 1, let member = zip.members[pickle] else {
            throw zip.failure("it has \(pickles.count) members data.pkl, where PyTorch writes one")
        }
        let folder = String(pickle.dropLast("data.pkl".count))
        if let order = zip.members[folder + "byteorder"] {
            let text = String(decoding: bytes[order.range.prefix(16)], as: UTF8.self)
            guard text == "little" else {
                throw TorchError(
                    path: path,
                    problem: .unsupported(
                        "its byte order is \(text.quoted)", remedy: "Save it on a little-endian machine"))
            }
        }
        let contents = UnsafeRawBufferPointer(rebasing: bytes[member.range])
        try member.validateChecksum(in: bytes, path: path)
        var reader = PickleReader(contents, path: path)
        let root = try reader.read()
        let dictionary = try StateDictionary(reader.values, root: root, path: path)
        let tensors = try dictionary.tensors.map { name, tensor throws(TorchError) in
            let storage = tensor.storage
            guard let expected = storage.byteCount else {
                throw TorchError(
                    path: path, problem: .storageTooLarge(key: storage.key, elements: storage.count))
            }
            let member = zip.members[folder + "data/" + storage.key]
            guard let member, member.range.count == expected else {
                throw TorchError(
                    path: path,
                    problem: .storage(key: storage.key, expected: expected, actual: member?.range.count))
            }
            return StoredTensor(name: name, tensor, storageOffset: member.range.lowerBound)
        }
        return StoredTensors(
            format: .torchArchive, tensors: tensors, metadata: dictionary.metadata,
            members: zip.members.values.sorted { $0.range.lowerBound < $1.range.lowerBound })
    }
}

extension StoredTensor {
    /// A view of a storage whose first byte is at a place in the file.
    init(name: String, _ tensor: TorchTensor, storageOffset: Int) {
        let type = tensor.storage.type.elementType
        let offset = storageOffset + type.byteCount(of: tensor.offset)
        self.name = name
        entry = WeightEntry(shape: tensor.shape, elementType: type)
        storedType = SafetensorsType(type).rawValue
        values =
            tensor.isContiguous
            ? .inPlace(offset: offset)
            : .decoded(
                StridedElements(
                    offset: offset, shape: tensor.shape, strides: tensor.strides,
                    byteCount: type.byteCount(of: 1)))
    }
}

/// Elements that are not beside each other in the file.
struct StridedElements: TensorDecoder {
    let offset: Int
    let shape: Shape
    /// In elements.
    let strides: [Int]
    /// Of an element.
    let byteCount: Int

    func decode(_ file: UnsafeRawBufferPointer, into values: UnsafeMutableRawBufferPointer) {
        guard let count = shape.checkedCount, count > 0 else { return }
        var index = [Int](repeating: 0, count: shape.rank)
        var source = offset
        for element in 0..<count {
            values[(element * byteCount)..<(element + 1) * byteCount].copyBytes(
                from: file[source..<source + byteCount])
            for axis in stride(from: shape.rank - 1, through: 0, by: -1) {
                index[axis] += 1
                source += strides[axis] * byteCount
                if index[axis] < shape[axis] { break }
                source -= shape[axis] * strides[axis] * byteCount
                index[axis] = 0
            }
        }
    }
}
