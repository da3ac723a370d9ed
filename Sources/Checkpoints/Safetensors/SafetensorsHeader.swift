import Foundation
import TensorGraph

/// The header of a safetensors file: what its tensors are and where.
///
/// The file is 8 bytes of the header's length (little-endian), the header (JSON), and the tensors' values
/// without holes: https://github.com/huggingface/safetensors#format. All that the format forbids is refused,
/// also duplicate keys, which other readers let through.
public struct SafetensorsHeader: Sendable {
    public struct Tensor: Sendable, Hashable {
        public let name: String
        /// The type is that which a graph reads the values as.
        public let entry: WeightEntry
        /// How the file stores them: `F16`, `F8_E4M3`, ….
        public let storedType: String
        /// Where the first byte is, counted from the start of the file.
        public let offset: Int
        public let byteCount: Int
    }

    /// The most bytes that a header may have; the same as in the format's own library.
    public static let maximumByteCount = 100_000_000
    /// The most entries, of tensors and metadata together.
    public static let maximumEntryCount = 100_000

    /// The tensors in the order of their places in the file.
    public let tensors: [Tensor]
    /// `__metadata__`: free text under free keys.
    public let metadata: [String: String]

    /// Reads a file's header; nothing of the tensors' values.
    ///
    /// - Throws: ``FileError`` where the file cannot be read, ``SafetensorsError`` where it is not such a file.
    public init(contentsOf url: URL) throws { try self.init(reading: RegularFile(opening: url.path)) }

    init(reading file: RegularFile) throws {
        func failure(_ problem: SafetensorsError.Problem) -> SafetensorsError {
            SafetensorsError(path: file.path, problem: problem)
        }
        let start = try file.read(byteCount: min(file.byteCount, ForeignFormat.byteCount), at: 0)
        guard start.count >= 8 else { throw failure(.tooShort(bytes: start.count)) }
        let length = start[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if let problem = Self.checkLength(length, fileByteCount: file.byteCount) {
            throw failure(ForeignFormat.recognize(start) ?? problem)
        }
        let header = try file.read(byteCount: Int(length), at: 8)
        try self.init(parsing: header, fileByteCount: file.byteCount, path: file.path)
    }

    /// Reads a header from memory.
    ///
    /// - Parameters:
    ///   - header: The JSON alone, without the 8 bytes before it.
    ///   - fileByteCount: The size of the whole file.
    ///   - path: The file's name for messages.
    public init(parsing header: [UInt8], fileByteCount: Int, path: String) throws(SafetensorsError) {
        if let problem = Self.checkLength(UInt64(header.count), fileByteCount: fileByteCount) {
            throw SafetensorsError(path: path, problem: problem)
        }
        let dataStart = 8 + header.count
        let parsed = header.withUnsafeBytes { bytes in
            Result { () throws(SafetensorsError) in
                var parser = SafetensorsHeaderParser(
                    bytes, path: path, dataStart: dataStart, dataByteCount: fileByteCount - dataStart)
                return try parser.parse()
            }
        }
        (tensors, metadata) = try parsed.get()
    }

    private static func checkLength(_ length: UInt64, fileByteCount: Int) -> SafetensorsError.Problem? {
        if length > maximumByteCount { return .headerTooLong(bytes: length, limit: maximumByteCount) }
        if Int(length) > fileByteCount - 8 {
            return .headerBeyondFile(bytes: Int(length), fileBytes: fileByteCount)
        }
        return nil
    }
}
