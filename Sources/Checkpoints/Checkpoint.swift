import Foundation
import TensorGraph

/// The weights in a file, of any format of ``CheckpointFormat``, or in the several files that a
/// `.safetensors.index.json` or `.bin.index.json` names.
///
/// The files stay open, and are mapped: a checkpoint of any size costs its header. Only tensors whose values are not
/// there as they are used are made when the checkpoint is mapped.
public struct Checkpoint: WeightStorage {
    public let origin: String
    private let headers: Headers

    /// The free text in the files' headers; where two files have a key, the first file's.
    public var metadata: [String: String] { headers.metadata }
    /// The format of the file; of several, the first one's.
    public var format: CheckpointFormat { headers.format ?? .safetensors }
    private var files: [RegularFile] { headers.files }
    private var places: [String: Place] { headers.places }

    private struct Place: Sendable {
        let file: Int
        let tensor: StoredTensor
    }

    /// What files say of themselves, in the order that they were read.
    private struct Headers: Sendable {
        private(set) var files: [RegularFile] = []
        private(set) var metadata: [String: String] = [:]
        private(set) var format: CheckpointFormat?
        private(set) var places: [String: Place] = [:]
        /// Of each file, where it is a zip archive.
        private(set) var members: [[ZipMember]] = []
        /// The names of what only says how tensors are to be read.
        private(set) var notes: Set<String> = []

        /// Reads a file's; of two tensors of one name, the later is taken.
        ///
        /// - Parameters:
        ///   - prefix: Put before its tensors' names.
        ///   - repeated: Told of each name that an earlier file has too, and of that file.
        mutating func read(
            _ file: RegularFile, prefix: String = "",
            repeated: (_ name: String, _ first: Int) throws -> Void = { _, _ in }
        ) throws {
            let stored = try StoredTensors(reading: file)
            format = format ?? stored.format
            metadata.merge(stored.metadata) { first, _ in first }
            for tensor in stored.tensors {
                let place = Place(file: files.count, tensor: tensor)
                if let other = places.updateValue(place, forKey: prefix + tensor.name) {
                    try repeated(tensor.name, other.file)
                }
            }
            files.append(file)
            members.append(stored.members)
            notes.formUnion(stored.notes)
        }
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
            var headers = Headers()
            try headers.read(file)
            self.init(headers, origin: file.path)
        }
    }

    /// Reads the headers of several files, the names of each with a prefix of its own, so that files may have the same.
    ///
    /// - Parameter files: At least one. The first one's path and format are the checkpoint's.
    /// - Throws: As ``init(contentsOf:)``.
    public init(contentsOf files: [(url: URL, prefix: String)]) throws {
        precondition(!files.isEmpty, "no file")
        var headers = Headers()
        for part in files { try headers.read(RegularFile(opening: part.url.path), prefix: part.prefix) }
        self.init(headers, origin: headers.files[0].path)
    }

    private init(_ headers: Headers, origin: String) {
        (self.headers, self.origin) = (headers, origin)
    }

    private init(_ index: ShardIndex) throws {
        var headers = Headers()
        for shard in index.shards {
            try headers.read(index.open(shard)) { tensor, first in
                throw CheckpointError.tensorInTwoShards(
                    index: index.path, tensor: tensor, first: index.shards[first], second: shard)
            }
        }
        for (tensor, shard) in index.shardOfTensor
        where headers.places[tensor].map({ index.shards[$0.file] }) != shard
            && !headers.notes.contains(tensor)
        {
            throw CheckpointError.tensorNotInShard(index: index.path, tensor: tensor, shard: shard)
        }
        for (tensor, place) in headers.places where index.shardOfTensor[tensor] == nil {
            throw CheckpointError.tensorNotInIndex(
                index: index.path, tensor: tensor, shard: index.shards[place.file])
        }
        self.init(headers, origin: index.path)
    }

    public var names: [String] { Array(places.keys) }

    public func entry(named name: String) -> WeightEntry? { places[name]?.tensor.entry }

    /// How the files store a weight: `F16`, `F8_E4M3`, `Q8_0`, …; nil for a name that is not there.
    public func storedType(of name: String) -> String? { places[name]?.tensor.storedType }

    /// Of all files together.
    public var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }

    @discardableResult public func validateChecksums() throws -> Bool {
        for (file, members) in zip(files, headers.members) where !members.isEmpty {
            let mapping = try FileMapping([file], additionalBytes: 0)
            var readByteCount = 0
            for member in members {
                try Task.checkCancellation()
                try member.validateChecksum(in: UnsafeRawBufferPointer(mapping.file(0)), path: file.path)
                // The pages of a whole file would count as the process's memory.
                readByteCount += member.range.count
                if readByteCount >= 16 << 20 {
                    mapping.releaseFilePages()
                    readByteCount = 0
                }
            }
            try mapping.validate()
        }
        return headers.members.contains { !$0.isEmpty }
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
