import TensorGraph

/// Why a file of PyTorch's is not loaded: a `.ckpt`, `.pt`, `.pth` or `.bin`.
public struct TorchError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Problem: Sendable, Hashable {
        /// The pickle is damaged at a byte, counted from its start.
        case pickle(String, offset: Int)
        /// The pickle would do something that weights do not need.
        case forbidden(String, offset: Int)
        /// The zip archive is damaged, or is not as PyTorch writes it.
        case archive(String)
        /// A member of the zip archive has other bytes than those that its CRC-32 is of.
        case checksum(member: String, expected: UInt32, actual: UInt32)
        /// A tensor's view of its storage is impossible.
        case tensor(String, reason: String, offset: Int)
        /// A storage's bytes are not what the pickle says.
        case storage(key: String, expected: Int, actual: Int?)
        /// A storage would have more bytes than can be addressed.
        case storageTooLarge(key: String, elements: Int)
        /// Another kind of file, or another byte order.
        case unsupported(String, remedy: String)
        /// A name of a tensor that no file should have.
        case name(String, reason: String)
        /// Its dictionaries are in one another deeper than those of any weights, or without end.
        case dictionaryDepth(limit: Int)
        /// Its dictionaries have more members than those of any weights, as often as they are named.
        case dictionaryMembers(limit: Int)
        /// There is no tensor under a name in the file.
        case noTensors(found: String)
    }

    public let path: String
    public let problem: Problem

    public var description: String { "\(path): " + problem.reason }
}

extension TorchError.Problem {
    fileprivate var reason: String {
        switch self {
        case .pickle(let reason, let offset): "the pickle is damaged at byte \(offset): \(reason)"
        case .forbidden(let what, let offset):
            "the pickle asks for \(what) at byte \(offset), which weights do not need; it is not done. "
                + "Take the model only from a source that you trust, as a safetensors file if there is one"
        case .archive(let reason): "the archive is damaged, or not one that PyTorch wrote: \(reason)"
        case .checksum(let member, let expected, let actual):
            "\(member.quoted) has other bytes than were saved: their CRC-32 is \(actual.digits), and the "
                + "archive's own is \(expected.digits). Fetch the file again"
        case .tensor(let tensor, let reason, let offset):
            "\(tensor), at byte \(offset) of the pickle, is impossible: \(reason)"
        case .storage(let key, let expected, let actual?):
            "storage \(key.quoted) should have \(expected) bytes, the file has \(actual) for it; "
                + (actual < expected
                    ? "it was probably not downloaded completely" : "it was changed after it was saved")
        case .storage(let key, let expected, nil):
            "storage \(key.quoted) of \(expected) bytes is not in the file"
        case .storageTooLarge(let key, let elements):
            "storage \(key.quoted) would have \(elements) elements, more than can be addressed"
        case .dictionaryDepth(let limit):
            "its dictionaries are more than \(limit) deep in one another, or without end; no file of weights has "
                + "them so"
        case .dictionaryMembers(let limit):
            "its dictionaries have more than \(limit) members, each counted as often as its dictionary is named; no "
                + "file of weights has as many"
        case .unsupported(let what, let remedy): "\(what). \(remedy)"
        case .name(let name, let reason): "\(name.quoted): \(reason)"
        case .noTensors(let found):
            "there are no tensors under names in this file; its pickle is \(found)"
        }
    }
}

extension UInt32 {
    /// Eight hexadecimal digits.
    fileprivate var digits: String { withUnsafeBytes(of: bigEndian) { $0.hexadecimal } }
}
