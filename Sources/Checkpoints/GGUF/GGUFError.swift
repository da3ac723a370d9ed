/// Why a file is not a GGUF file, or not one that can be read.
public struct GGUFError: Error, Sendable, Hashable, CustomStringConvertible {
    public let path: String
    public let problem: Problem

    public enum Problem: Sendable, Hashable {
        /// The file ends within something.
        case truncated(offset: Int, needed: UInt64, available: Int)
        /// It is of a version that is not read.
        case version(UInt32)
        /// It is written for machines of the other byte order.
        case bigEndian
        /// What comes before the tensors' values is longer than that of any model.
        case headerTooLong(limit: Int)
        /// There are more entries than there can be.
        case count(of: String, count: UInt64, limit: Int)
        /// There are more entries than the rest of the file has room for.
        case noRoom(for: String, count: UInt64, available: Int, shortest: Int)
        /// A name or a key is not usable.
        case name(String, reason: String, offset: Int)
        /// A value of the metadata is not usable.
        case value(key: String, reason: String)
        /// A tensor is not usable.
        case tensor(String, reason: String)
    }

    public var description: String {
        let reason =
            switch problem {
            case .truncated(let offset, let needed, let available):
                "the file ends too early: \(needed) bytes are needed from byte \(offset) on, there are \(available); "
                    + "the download may not be complete"
            case .version(let version): "a GGUF file of version \(version); versions 2 and 3 are read"
            case .bigEndian: "a GGUF file for machines of the other byte order"
            case .headerTooLong(let limit): "its header has more than \(limit) bytes"
            case .count(let what, let count, let limit):
                "it says that it has \(count) \(what); at most \(limit) are read"
            case .noRoom(let what, let count, let available, let shortest):
                "it says that it has \(count) \(what), of which each takes \(shortest) bytes or more; "
                    + "the file has \(available) left, the download may not be complete"
            case .name(let name, let reason, let offset):
                "the name \(name.quoted) at byte \(offset): \(reason)"
            case .value(let key, let reason): "\(key.quoted): \(reason)"
            case .tensor(let name, let reason): "the tensor \(name.quoted): \(reason)"
            }
        return "\(path): \(reason)"
    }
}
