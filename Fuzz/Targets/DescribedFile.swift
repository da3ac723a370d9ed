import Checkpoints
import Foundation

/// A safetensors file of the tensors that a text lists, so that a search for names and shapes has not to get lengths and
/// offsets right too.
///
/// A line is a tensor, `name sizes type`: `up.weight 4,3 F16`; type and sizes may be left out. A line that begins with
/// `>` is what the names of the following lines begin with; one with `#` is a note of the header, `#key value`.
struct DescribedFile {
    let url: URL

    /// More bytes of values than a search needs.
    private static let limit = 1 << 23
    /// Beyond so many, values are 0.
    private static let writtenLimit = 1 << 12
    private static let sizes: [Substring: Int] = [
        "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
        "F8_E4M3": 1,
    ]

    /// - Parameter name: Of the file, without its ending.
    /// - Returns: Nil for what is larger than it has to be.
    /// - Throws: ``Broken`` where the file cannot be written.
    init?(_ text: [UInt8], name: String) throws(Broken) {
        var header = JSONObject()
        var notes = JSONObject()
        var (prefix, byteCount) = ("", 0)
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let line = String(decoding: line, as: UTF8.self)
            if line.hasPrefix(">") {
                prefix = String(line.dropFirst())
                continue
            }
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            if line.hasPrefix("#") {
                let value = parts.dropFirst().joined(separator: " ")
                _ = notes.append(.string(value), for: String(parts[0].dropFirst()))
                continue
            }
            let sizes = parts.count > 1 ? parts[1].split(separator: ",").map { Int($0) ?? 1 } : []
            let type = parts.count > 2 ? parts[2] : "F32"
            var count = Self.sizes[type] ?? 1
            if sizes.contains(0) { count = 0 }
            for size in sizes where count > 0 {
                let (product, overflow) = count.multipliedReportingOverflow(by: size)
                guard !overflow, (0...Self.limit).contains(product) else { return nil }
                count = product
            }
            let entry: JSONObject = [
                "dtype": .string(String(type)), "shape": .array(sizes.map { JSONValue($0) }),
                "data_offsets": [JSONValue(byteCount), JSONValue(byteCount + count)],
            ]
            byteCount += count
            guard byteCount <= Self.limit else { return nil }
            _ = header.append(.object(entry), for: prefix + parts[0])
        }
        if notes.count > 0 { _ = header.append(.object(notes), for: "__metadata__") }
        let json = Array(JSONValue.object(header).text.utf8)
        var file = Data(capacity: 8 + json.count + byteCount)
        withUnsafeBytes(of: UInt64(json.count).littleEndian) { file.append(contentsOf: $0) }
        file.append(contentsOf: json)
        // Bytes that are a number below 2 in every float type.
        file.append(Data(repeating: 0x3F, count: min(byteCount, Self.writtenLimit)))
        url = FileManager.default.temporaryDirectory.appending(
            path: "easel-fuzz-\(ProcessInfo.processInfo.processIdentifier)-\(name).safetensors")
        do { try file.write(to: url) } catch { throw Broken(description: "\(url.path): \(error)") }
        guard byteCount <= Self.writtenLimit || truncate(url.path, 8 + json.count + byteCount) == 0 else {
            throw Broken(description: "\(url.path) cannot be made longer")
        }
    }
}
