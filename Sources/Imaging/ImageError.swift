/// Why a picture cannot be read or written.
public enum ImageError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The bytes are not a picture that is read.
    case notReadable(name: String, reason: String)
    /// The picture cannot be encoded.
    case notEncodable(reason: String)
    /// The folder that the file would be in is not there.
    case noFolder(path: String)
    /// There is a folder of the file's name.
    case isFolder(path: String)
    /// The system refuses; `reason` is its message.
    case notWritable(path: String, reason: String)
    /// The file's ending is that of a format that is not written.
    case unknownFormat(path: String, ending: String)

    public var description: String {
        switch self {
        case .notReadable(let name, let reason): "\(name): not a picture that can be read: \(reason)"
        case .notEncodable(let reason): "the picture cannot be encoded: \(reason)"
        case .noFolder(let path): "\(path): there is no such folder to write to; make it first"
        case .isFolder(let path): "\(path): there is a folder of that name; give the name of a file"
        case .notWritable(let path, let reason): "\(path): cannot be written: \(reason)"
        case .unknownFormat(let path, let ending):
            "\(path): pictures are not written as .\(ending); end the file's name in .png, .jpg or .webp"
        }
    }
}
