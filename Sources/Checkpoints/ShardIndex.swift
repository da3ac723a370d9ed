import Foundation

/// The index of a sharded checkpoint: which file each tensor is in. `{"weight_map": {"<tensor>": "<file>"}}`.
struct ShardIndex {
    static let maximumShardCount = 1000

    let path: String
    let folder: URL
    let shardOfTensor: [String: String]
    /// The files' names, sorted.
    let shards: [String]

    /// Whether a file is JSON, and so an index: a safetensors file's first 8 bytes have a zero among them, as
    /// its header would be longer than any file otherwise.
    static func isIndex(_ file: RegularFile) throws -> Bool {
        let start = try file.read(byteCount: min(file.byteCount, 8), at: 0)
        let text = start.starts(with: [0xEF, 0xBB, 0xBF]) ? start.dropFirst(3) : start[...]
        let first = text.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        return first == UInt8(ascii: "{") && !start.contains(0)
    }

    /// - Throws: ``FileError``, ``JSONError``, ``CheckpointError``.
    init(contentsOf url: URL) throws {
        let path = url.path
        let document = try JSONValue(contentsOf: url)
        guard let map = document.objectValue?["weight_map"]?.objectValue else {
            // A name that is no index's is one of weights.
            if !url.lastPathComponent.hasSuffix(".json"),
                let text = try PlainText(of: RegularFile(opening: path))
            {
                throw CheckpointError.text(path: path, kind: "\(text.kind)", start: text.start)
            }
            throw CheckpointError.notAnIndex(
                path: path, expected: "an object \"weight_map\" with a file name for each tensor")
        }
        var shardOfTensor: [String: String] = [:]
        for member in map.members {
            guard let shard = member.value.stringValue else {
                throw CheckpointError.notAnIndex(
                    path: path,
                    expected: "a file name for \(member.key.quoted), found \(member.value.summary)")
            }
            guard shard.isPlainFileName else {
                throw CheckpointError.shardName(index: path, tensor: member.key, shard: shard)
            }
            shardOfTensor[member.key] = shard
        }
        let shards = Set(shardOfTensor.values).sorted()
        guard shards.count <= Self.maximumShardCount else {
            throw CheckpointError.tooManyShards(
                index: path, count: shards.count, limit: Self.maximumShardCount)
        }
        self.path = path
        folder = url.deletingLastPathComponent()
        self.shardOfTensor = shardOfTensor
        self.shards = shards
    }

    /// A file of the index's.
    ///
    /// - Throws: ``CheckpointError/shardMissing(index:shard:tensors:)``, ``FileError``.
    func open(_ shard: String) throws -> RegularFile {
        do { return try RegularFile(opening: folder.appending(path: shard).path) } catch {
            guard case .missing = error else { throw error }
            let count = shardOfTensor.values.count { $0 == shard }
            throw CheckpointError.shardMissing(index: path, shard: shard, tensors: count)
        }
    }
}
