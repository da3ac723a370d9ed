import Checkpoints
import Crypto
import Foundation

/// The SHA-256 sums by which programs and sites know a file, in hexadecimal digits.
public struct FileHashes: Sendable, Hashable, Codable {
    /// Of the whole file.
    public let sha256: String
    /// Of a safetensors file without its header, so that notes in it do not change the sum; nil for other files.
    public let valuesSHA256: String?
    /// The first eight digits of 64 KiB from 1 MiB on: AUTOMATIC1111's hash until 2023, AutoV1. Nil for shorter files.
    public let legacyHash: String?

    /// AUTOMATIC1111's "Model hash", which is also AutoV2.
    public var shortHash: String { String(sha256.prefix(10)) }
    /// AUTOMATIC1111's hash of a LoRA in a safetensors file; AutoV3.
    public var valuesHash: String { String((valuesSHA256 ?? sha256).prefix(12)) }

    private static let legacyRange = 1 << 20..<(1 << 20) + 1 << 16
    private static let chunkByteCount = 4 << 20

    /// Reads a file from its beginning to its end, once.
    ///
    /// - Parameter hasHeader: Whether it is a safetensors file.
    /// - Throws: `CocoaError` where it cannot be read, `CancellationError`.
    public init(of file: URL, hasHeader: Bool) throws {
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        var (whole, values, legacy) = (SHA256(), SHA256(), Data())
        var position = 0
        var headerEnd = hasHeader ? Int.max : 0
        while let chunk = try handle.read(upToCount: Self.chunkByteCount), !chunk.isEmpty {
            try Task.checkCancellation()
            if position == 0, hasHeader, chunk.count >= 8 {
                let length = chunk.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                headerEnd = Int(clamping: length.addingReportingOverflow(8).partialValue)
            }
            whole.update(data: chunk)
            let range = position..<position + chunk.count
            if hasHeader, range.upperBound > headerEnd {
                values.update(data: chunk.dropFirst(max(0, headerEnd - position)))
            }
            let own = Self.legacyRange.clamped(to: range)
            legacy += chunk.dropFirst(own.lowerBound - position).prefix(own.count)
            position = range.upperBound
        }
        sha256 = whole.finalize().hexadecimal
        valuesSHA256 = hasHeader ? values.finalize().hexadecimal : nil
        legacyHash =
            legacy.isEmpty ? nil : String(SHA256.hash(data: legacy).hexadecimal.prefix(8))
    }
}
