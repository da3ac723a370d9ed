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
        if length == 0, let problem = ForeignFormat.recognize(start) { throw failure(problem) }
        // Before anything is kept of a header: how much there is to keep.
        var entries = SafetensorsEntryCount()
        for offset in stride(from: 0, to: Int(length), by: Self.piece) {
            let bytes = try file.read(byteCount: min(Self.piece, Int(length) - offset), at: 8 + offset)
            bytes.withUnsafeBytes { entries.add($0) }
            guard entries.count <= Self.maximumEntryCount else {
                throw failure(.tooManyEntries(limit: Self.maximumEntryCount))
            }
        }
        let mapping = try FileMapping([file], additionalBytes: 0)
        let header = UnsafeRawBufferPointer(rebasing: mapping.file(0)[8..<8 + Int(length)])
        let parsed = Result { () throws(SafetensorsError) in
            try Self(header, fileByteCount: file.byteCount, path: file.path)
        }
        try mapping.validate()
        self = try parsed.get()
    }

    /// How much of a header is in memory at once, in bytes, before it is known not to have too many entries.
    private static let piece = 1 << 16

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
        let parsed = header.withUnsafeBytes { bytes in
            Result { () throws(SafetensorsError) in
                try Self(bytes, fileByteCount: fileByteCount, path: path)
            }
        }
        self = try parsed.get()
    }

    private init(_ header: UnsafeRawBufferPointer, fileByteCount: Int, path: String) throws(SafetensorsError)
    {
        let dataStart = 8 + header.count
        var parser = SafetensorsHeaderParser(
            header, path: path, dataStart: dataStart, dataByteCount: fileByteCount - dataStart)
        (tensors, metadata) = try parser.parse()
    }

    private static func checkLength(_ length: UInt64, fileByteCount: Int) -> SafetensorsError.Problem? {
        if length > maximumByteCount { return .headerTooLong(bytes: length, limit: maximumByteCount) }
        if Int(length) > fileByteCount - 8 {
            return .headerBeyondFile(bytes: Int(length), fileBytes: fileByteCount)
        }
        return nil
    }
}
