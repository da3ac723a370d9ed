import Foundation
import TensorGraph

/// The weights in a safetensors file, or in the several files that a `.safetensors.index.json` names.
///
/// The files stay open, and are mapped, never copied: a checkpoint of any size costs its header.
public struct Checkpoint: WeightStorage {
    public let origin: String
    /// The free text in the files' headers; where two files have a key, the first file's.
    public let metadata: [String: String]
    private let files: [RegularFile]
    private let places: [String: Place]

    private struct Place: Sendable {
        let file: Int
        let tensor: SafetensorsHeader.Tensor
    }

    /// Reads the headers. What the file is, is told by its content: an index is JSON.
    ///
    /// - Throws: ``FileError``, ``SafetensorsError``, or for an index also ``JSONError`` and
    ///   ``CheckpointError``.
    public init(contentsOf url: URL) throws {
        let file = try RegularFile(opening: url.path)
        if try ShardIndex.isIndex(file) {
            try self.init(ShardIndex(contentsOf: url))
        } else {
            try self.init(file)
        }
    }

    private init(_ file: RegularFile) throws {
        let header = try SafetensorsHeader(reading: file)
        origin = file.path
        metadata = header.metadata
        files = [file]
        var places: [String: Place] = [:]
        for tensor in header.tensors { places[tensor.name] = Place(file: 0, tensor: tensor) }
        self.places = places
    }

    private init(_ index: ShardIndex) throws {
        origin = index.path
        var files: [RegularFile] = []
        var metadata: [String: String] = [:]
        var places: [String: Place] = [:]
        for shard in index.shards {
            let file = try RegularFile(opening: index.folder.appending(path: shard).path)
            let header = try SafetensorsHeader(reading: file)
            metadata.merge(header.metadata) { first, _ in first }
            for tensor in header.tensors {
                let place = Place(file: files.count, tensor: tensor)
                if let other = places.updateValue(place, forKey: tensor.name) {
                    throw CheckpointError.tensorInTwoShards(
                        index: index.path, tensor: tensor.name, first: index.shards[other.file],
                        second: shard)
                }
            }
            files.append(file)
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
        self.metadata = metadata
        self.places = places
    }

    public var names: [String] { Array(places.keys) }

    public func entry(named name: String) -> WeightEntry? { places[name]?.tensor.entry }

    public func map(additionalBytes: Int) throws -> MappedWeights {
        let mapping = try FileMapping(files, additionalBytes: additionalBytes)
        return MappedWeights(
            bytes: mapping.bytes, additionalOffset: mapping.additionalOffset,
            offsets: places.mapValues { mapping.fileOffsets[$0.file] + $0.tensor.offset },
            check: { try mapping.validate() }, releaseFilePages: { mapping.releaseFilePages() },
            release: { withExtendedLifetime(mapping) {} })
    }
}
