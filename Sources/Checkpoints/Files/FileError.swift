/// Why a file cannot be read or written, whatever is in it.
public enum FileError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        case folder = "a folder"
        case pipe = "a named pipe"
        case socket = "a socket"
        case device = "a device"
        case other = "not a regular file"
    }

    /// There is no such file, or a link leads nowhere.
    case missing(path: String)
    /// There is something else of that name.
    case notRegular(path: String, kind: Kind)
    /// The system refuses; `reason` is its message.
    case unreadable(path: String, reason: String)
    /// Reading failed, at a byte counted from 0 where that is known.
    case readFailed(path: String, offset: Int?, reason: String)
    /// The file is shorter than it was when it was opened.
    case shortened(path: String, expected: Int, actual: Int)
    /// The file was written to or replaced between two looks at it.
    case changed(path: String, expected: Int, actual: Int)
    /// The file has more bytes than are read.
    case tooLarge(path: String, bytes: Int, limit: Int)
    /// The file cannot be written; `reason` is the system's message.
    case unwritable(path: String, reason: String)
    /// The system gives no memory at which the file could be mapped.
    case notMapped(path: String, bytes: Int, reason: String)

    public var description: String {
        switch self {
        case .missing(let path): "\(path): there is no such file"
        case .notRegular(let path, let kind): "\(path): expected a file, but this is \(kind.rawValue)"
        case .unreadable(let path, let reason): "\(path): cannot be opened: \(reason)"
        case .readFailed(let path, let offset, let reason):
            "\(path): reading failed" + (offset.map { " at byte \($0)" } ?? "") + ": \(reason)"
        case .shortened(let path, let expected, let actual):
            "\(path): had \(expected) bytes when it was opened and has \(actual) now; "
                + "it was cut short while it was in use. Load the model again once the file is whole"
        case .changed(let path, let expected, let actual):
            "\(path): changed while it was being loaded (\(expected) bytes before, \(actual) now). "
                + "Load the model again once nothing writes to the file"
        case .tooLarge(let path, let bytes, let limit):
            "\(path): has \(bytes) bytes, which are too many; at most \(limit) are read"
        case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
        case .notMapped(let path, let bytes, let reason):
            "\(path): \(bytes) bytes cannot be mapped into memory: \(reason)"
        }
    }
}
