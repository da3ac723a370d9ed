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
    private static let sizes: [String: Int] = [
        "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
        "F8_E4M3": 1,
    ]

    /// - Parameter name: Of the file, without its ending.
    /// - Returns: Nil for what is larger than it has to be.
    /// - Throws: ``Broken`` where the file cannot be written.
    init?(_ text: [UInt8], name: String) throws(Broken) {
        var header: [UInt8] = Array("{".utf8)
        var (tensors, notes): (Set<[UInt8]>, Set<[UInt8]>) = ([], [])
        var noted: [UInt8] = []
        var (prefix, byteCount): (ArraySlice<UInt8>, Int) = ([], 0)
        let text = Array(String(decoding: text, as: UTF8.self).utf8)
        for line in text.split(separator: UInt8(ascii: "\n")) {
            if line.first == UInt8(ascii: ">") {
                prefix = line.dropFirst()
                continue
            }
            let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            if line.first == UInt8(ascii: "#") {
                let key = Self.quoted(parts[0].dropFirst())
                guard notes.insert(key).inserted else { continue }
                if !noted.isEmpty { noted.append(UInt8(ascii: ",")) }
                noted += key + [UInt8(ascii: ":")]
                noted += Self.quoted(line[min(parts[0].endIndex + 1, line.endIndex)...])
                continue
            }
            let sizes = parts.count > 1 ? parts[1].split(separator: UInt8(ascii: ",")).map(Self.number) : []
            let type = parts.count > 2 ? String(decoding: parts[2], as: UTF8.self) : "F32"
            var count = Self.sizes[type] ?? 1
            if sizes.contains(0) { count = 0 }
            for size in sizes where count > 0 {
                let (product, overflow) = count.multipliedReportingOverflow(by: size)
                guard !overflow, (0...Self.limit).contains(product) else { return nil }
                count = product
            }
            let name = Self.quoted(prefix + parts[0])
            guard tensors.insert(name).inserted else { continue }
            if tensors.count > 1 { header.append(UInt8(ascii: ",")) }
            header += name + Array(":{\"dtype\":".utf8) + Self.quoted(ArraySlice(type.utf8))
            header += Array(",\"shape\":\(sizes)".utf8)
            header += Array(",\"data_offsets\":[\(byteCount),\(byteCount + count)]}".utf8)
            byteCount += count
            guard byteCount <= Self.limit else { return nil }
        }
        if !notes.isEmpty {
            if !tensors.isEmpty { header.append(UInt8(ascii: ",")) }
            header += Array("\"__metadata__\":{".utf8) + noted + Array("}".utf8)
        }
        header.append(UInt8(ascii: "}"))
        var file = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
        file += header
        // Bytes that are a number below 2 in every float type.
        file += [UInt8](repeating: 0x3F, count: min(byteCount, Self.writtenLimit))
        url = try temporaryFile(
            "\(name).safetensors", file, byteCount: 8 + header.count + byteCount)
    }

    /// A whole number, or 1.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int {
        Int(String(decoding: digits, as: UTF8.self)) ?? 1
    }

    /// As a text of JSON.
    private static func quoted(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var quoted: [UInt8] = [0x22]
        for byte in text {
            switch byte {
            case 0x22, 0x5C: quoted += [0x5C, byte]
            case ..<0x20: quoted += Array("\\u00".utf8) + [0x30 + byte >> 4, hexadecimal[Int(byte & 15)]]
            default: quoted.append(byte)
            }
        }
        return quoted + [0x22]
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}
