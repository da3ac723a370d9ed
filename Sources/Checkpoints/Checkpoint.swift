import Foundation
import TensorGraph

/// The weights in a file, of any format of ``CheckpointFormat``, or in the several files that a
/// `.safetensors.index.json` or `.bin.index.json` names.
///
/// The files stay open, and are mapped: a checkpoint of any size costs its header. Only tensors whose values are not
/// there as they are used are made when the checkpoint is mapped.
public struct Checkpoint: WeightStorage {
    public let origin: String
    /// The free text in the files' headers; where two files have a key, the first file's.
    public let metadata: [String: String]
    /// The format of the file; of several, the first one's.
    public let format: CheckpointFormat
    private let files: [RegularFile]
    private let places: [String: Place]
    /// Of each file, where it is a zip archive.
    private let members: [[ZipMember]]

    private struct Place: Sendable {
        let file: Int
        let tensor: StoredTensor
    }

    /// Reads the headers. What the file is, is told by its content: an index is JSON.
    ///
    /// - Throws: ``FileError``, ``SafetensorsError``, ``TorchError``, ``GGUFError``, or for an index also ``JSONError`` and
    ///   ``CheckpointError``.
    public init(contentsOf url: URL) throws {
        let file = try RegularFile(opening: url.path)
        if try ShardIndex.isIndex(file) {
            try self.init(ShardIndex(contentsOf: url))
        } else {
            try self.init(file)
        }
    }

    /// Reads the headers of several files, the names of each with a prefix of its own, so that files may have the same.
    ///
    /// - Parameter files: At least one. The first one's path and format are the checkpoint's.
    /// - Throws: As ``init(contentsOf:)``.
    public init(contentsOf files: [(url: URL, prefix: String)]) throws {
        precondition(!files.isEmpty, "no file")
        var opened: [RegularFile] = []
        var members: [[ZipMember]] = []
        var format: CheckpointFormat?
        var metadata: [String: String] = [:]
        var places: [String: Place] = [:]
        for (index, part) in files.enumerated() {
            let file = try RegularFile(opening: part.url.path)
            let stored = try StoredTensors(reading: file)
            format = format ?? stored.format
            metadata.merge(stored.metadata) { first, _ in first }
            for tensor in stored.tensors {
                places[part.prefix + tensor.name] = Place(file: index, tensor: tensor)
            }
            opened.append(file)
            members.append(stored.members)
        }
        self.files = opened
        self.members = members
        self.metadata = metadata
        self.format = format ?? .safetensors
        self.places = places
        origin = opened[0].path
    }

    private init(_ file: RegularFile) throws {
        let stored = try StoredTensors(reading: file)
        origin = file.path
        metadata = stored.metadata
        format = stored.format
        files = [file]
        members = [stored.members]
        var places: [String: Place] = [:]
        for tensor in stored.tensors { places[tensor.name] = Place(file: 0, tensor: tensor) }
        self.places = places
    }

    private init(_ index: ShardIndex) throws {
        origin = index.path
        var files: [RegularFile] = []
        var members: [[ZipMember]] = []
        var metadata: [String: String] = [:]
        var format: CheckpointFormat?
        var places: [String: Place] = [:]
        for shard in index.shards {
            let file = try index.open(shard)
            let stored = try StoredTensors(reading: file)
            format = format ?? stored.format
            metadata.merge(stored.metadata) { first, _ in first }
            for tensor in stored.tensors {
                let place = Place(file: files.count, tensor: tensor)
                if let other = places.updateValue(place, forKey: tensor.name) {
                    throw CheckpointError.tensorInTwoShards(
                        index: index.path, tensor: tensor.name, first: index.shards[other.file],
                        second: shard)
                }
            }
            files.append(file)
            members.append(stored.members)
        }
        for (tensor, shard) in index.shardOfTensor
        where places[tensor].map({ index.shards[$0.file] }) != shard {
            throw CheckpointError.tensorNotInShard(index: index.path, tensor: tensor, shard: shard)
        }
        for (tensor, place) in places where index.shardOfTensor[tensor] == nil {
            throw CheckpointError.tensorNotInIndex(
                index: index.path, tensor: tensor, shard: index.shards[place.file])
        }
        self.files = files
        self.members = members
        self.metadata = metadata
        self.format = format ?? .safetensors
        self.places = places
    }

    public var names: [String] { Array(places.keys) }

    public func entry(named name: String) -> WeightEntry? { places[name]?.tensor.entry }

    /// How the files store a weight: `F16`, `F8_E4M3`, `Q8_0`, …; nil for a name that is not there.
    public func storedType(of name: String) -> String? { places[name]?.tensor.storedType }

    /// Of all files together.
    public var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }

    public func validateChecksums() throws {
        for (file, members) in zip(files, members) where !members.isEmpty {
            let mapping = try FileMapping([file], additionalBytes: 0)
            for member in members {
                try Task.checkCancellation()
                try member.validateChecksum(in: UnsafeRawBufferPointer(mapping.file(0)), path: file.path)
            }
            try mapping.validate()
        }
    }

    public func groupedIntegers(of name: String) -> GroupedIntegers? {
        guard let place = places[name], case .decoded(let decoder) = place.tensor.values,
            let blocks = decoder as? QuantizedBlocks
        else { return nil }
        return GroupedIntegers(blocks, in: files[place.file])
    }

    public func map(_ names: Set<String>, additionalBytes: Int) throws -> MappedWeights {
        var decoded: [(place: Place, decoder: any TensorDecoder, name: String)] = []
        var made = MadeWeights()
        for name in names.sorted() {
            guard let place = places[name], case .decoded(let decoder) = place.tensor.values else { continue }
            let entry = place.tensor.entry
            decoded.append((place, decoder, name))
            made.reserve(name, byteCount: entry.elementType.byteCount(of: entry.shape.checkedCount ?? 0))
        }
        let mapping = try FileMapping(files, additionalBytes: made.additionalBytes(and: additionalBytes))
        let offsets = places.compactMapValues { place -> Int? in
            guard case .inPlace(let offset) = place.tensor.values else { return nil }
            return mapping.fileOffsets[place.file] + offset
        }
        let stored = MappedWeights(
            bytes: mapping.bytes, additionalOffset: mapping.additionalOffset, offsets: offsets,
            check: { try mapping.validate() }, releaseFilePages: { mapping.releaseFilePages() },
            write: { mapping.write($0, at: $1) }, release: { withExtendedLifetime(mapping) {} })
        return try made.making(of: stored, among: Array(offsets.keys), iterations: decoded.count) {
            [decoded] index, memory in
            let tensor = decoded[index]
            tensor.decoder.decode(
                UnsafeRawBufferPointer(mapping.file(tensor.place.file)), into: memory(tensor.name))
        }
    }
}
