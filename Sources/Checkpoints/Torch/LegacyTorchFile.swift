import TensorGraph

/// A file of `torch.save` before PyTorch 1.6: five pickles, then each storage's number of elements in 8 bytes and its
/// values.
///
/// The pickles are a magic number, the protocol's version, the machine that wrote it, the object, and the storages' keys
/// in the order of their values.
enum LegacyTorchFile {
    /// 0x1950a86a20f9469cfc6c, least significant byte first.
    static let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    static let version = 1001
}

extension StoredTensors {
    /// - Throws: ``FileError``, ``TorchError``.
    static func torchLegacy(_ file: RegularFile) throws -> StoredTensors {
        let mapping = try FileMapping([file], additionalBytes: 0)
        mapping.expectScatteredReading()
        let stored = try torchLegacy(
            UnsafeRawBufferPointer(mapping.file(0)), path: file.path)
        try mapping.validate()
        return stored
    }

    /// - Parameter bytes: The whole file.
    package static func torchLegacy(_ bytes: UnsafeRawBufferPointer, path: String) throws(TorchError)
        -> StoredTensors
    {
        var position = 0
        func next() throws(TorchError) -> (values: PickleValues, root: PickleValues.Index) {
            var reader = PickleReader(bytes, from: position, path: path)
            let root = try reader.read()
            position = reader.position
            return (reader.values, root)
        }
        func unsupported(_ what: String, remedy: String = "Save it with a newer PyTorch") -> TorchError {
            TorchError(path: path, problem: .unsupported(what, remedy: remedy))
        }
        func damaged(_ what: String) -> TorchError { unsupported(what, remedy: "The file is damaged") }
        _ = try next()
        let protocolVersion = try next()
        guard protocolVersion.values.integer(protocolVersion.root) == LegacyTorchFile.version else {
            throw unsupported(
                "its protocol is \(protocolVersion.values.summary(protocolVersion.root)), not "
                    + "\(LegacyTorchFile.version)")
        }
        let machine = try next()
        if case .dictionary(let members) = machine.values[machine.root],
            let order = members.first(where: { machine.values.text($0.key) == "little_endian" }),
            case .boolean(false) = machine.values[order.value]
        {
            throw unsupported("its byte order is \"big\"")
        }
        let object = try next()
        let dictionary = try StateDictionary(object.values, root: object.root, path: path)
        let keys = try next()
        guard case .list(let list) = keys.values[keys.root] else {
            throw damaged("its list of storages is " + keys.values.summary(keys.root))
        }
        let order = list.compactMap { keys.values.text($0) }

        var storages: [String: TorchStorage] = [:]
        for storage in object.values.storages {
            if let other = storages.updateValue(storage, forKey: storage.key), other != storage {
                throw damaged("its storage \(storage.key.quoted) is described in two ways")
            }
        }
        var offsets: [String: Int] = [:]
        for key in order {
            guard let storage = storages[key] else {
                throw damaged("its storage \(key.quoted) is not used")
            }
            guard let byteCount = storage.byteCount else {
                throw TorchError(path: path, problem: .storageTooLarge(key: key, elements: storage.count))
            }
            let room = bytes.count - position
            guard room >= 8, byteCount <= room - 8 else {
                throw TorchError(
                    path: path, problem: .storage(key: key, expected: byteCount, actual: max(0, room - 8)))
            }
            let count = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int64.self))
            guard count == storage.count else {
                throw damaged("its storage \(key.quoted) has \(count) elements, not \(storage.count)")
            }
            guard offsets.updateValue(position + 8, forKey: key) == nil else {
                throw damaged("its storage \(key.quoted) is listed twice")
            }
            position += 8 + byteCount
        }
        let tensors = try dictionary.tensors.map { name, tensor throws(TorchError) in
            guard let offset = offsets[tensor.storage.key] else {
                let storage = tensor.storage
                throw TorchError(
                    path: path,
                    problem: storage.byteCount.map { .storage(key: storage.key, expected: $0, actual: nil) }
                        ?? .storageTooLarge(key: storage.key, elements: storage.count))
            }
            return StoredTensor(name: name, tensor, storageOffset: offset)
        }
        return StoredTensors(format: .torchLegacy, tensors: tensors, metadata: dictionary.metadata)
    }
}
