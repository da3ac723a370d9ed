/// Why files do not make a checkpoint together.
public enum CheckpointError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A file has no weights but a text, such as a page that says that one has to log in.
    case text(path: String, kind: String, start: String)
    /// A file that an index names is not there.
    case shardMissing(index: String, shard: String, tensors: Int)
    /// The index of a sharded checkpoint is not one.
    case notAnIndex(path: String, expected: String)
    /// An index names a file that is not plainly one beside it.
    case shardName(index: String, tensor: String, shard: String)
    /// An index names more files than are opened.
    case tooManyShards(index: String, count: Int, limit: Int)
    /// An index says that a tensor is in a file that does not have it.
    case tensorNotInShard(index: String, tensor: String, shard: String)
    /// A file has a tensor that the index does not list for it.
    case tensorNotInIndex(index: String, tensor: String, shard: String)
    /// Two files have a tensor of the same name.
    case tensorInTwoShards(index: String, tensor: String, first: String, second: String)
    /// A table of names does not fit: weights that are not there, and names that two weights would have.
    case renaming(origin: String, absent: [String], collisions: [String])

    public var description: String {
        switch self {
        case .text(let path, let kind, let start):
            "\(path): this is \(kind), not weights; it begins with \(start.quoted). "
                + "Servers send one that asks to log in or to accept a licence, or that says what went wrong; "
                + "download the file again"
        case .shardMissing(let index, let shard, let tensors):
            "\(index): it names \(shard.quoted), with \(tensors) of its tensors, and there is no such file beside it: "
                + "the model was not downloaded completely"
        case .notAnIndex(let path, let expected):
            "\(path): not the index of a sharded checkpoint: expected \(expected)"
        case .shardName(let index, let tensor, let shard):
            "\(index): \(tensor.quoted) is said to be in \(shard.quoted), which is not the name of a file in "
                + "the same folder"
        case .tooManyShards(let index, let count, let limit):
            "\(index): names \(count) files; at most \(limit) are opened"
        case .tensorNotInShard(let index, let tensor, let shard):
            "\(index): \(tensor.quoted) is said to be in \(shard.quoted), which does not have it"
        case .tensorNotInIndex(let index, let tensor, let shard):
            "\(index): \(shard.quoted) has \(tensor.quoted), which the index does not list for it"
        case .tensorInTwoShards(let index, let tensor, let first, let second):
            "\(index): \(tensor.quoted) is in two files, \(first.quoted) and \(second.quoted)"
        case .renaming(let origin, let absent, let collisions):
            "\(origin): the weights do not have the names that were expected"
                + Self.list("missing", absent) + Self.list("two weights would be named", collisions)
        }
    }

    private static func list(_ head: String, _ names: [String]) -> String {
        guard !names.isEmpty else { return "" }
        let shown = names.prefix(5).map(\.quoted).joined(separator: ", ")
        return "\n  \(head): \(shown)" + (names.count > 5 ? " and \(names.count - 5) more" : "")
    }
}
