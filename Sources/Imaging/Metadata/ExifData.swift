import Foundation

/// What is read and written of Exif data (CIPA DC-008): directories of a TIFF file.
struct ExifData: Equatable {
    var orientation: UInt16?
    var userComment: String?
    var makerNote: [UInt8]?

    private enum Tag {
        static let orientation: UInt16 = 0x0112
        static let exifDirectory: UInt16 = 0x8769
        static let makerNote: UInt16 = 0x927C
        static let userComment: UInt16 = 0x9286
    }

    /// The type of bytes that mean something to their writer only.
    private static let undefined: UInt16 = 7
    private static let long: UInt16 = 4

    init() {}

    /// Reads the data, with or without `Exif\0\0` before them; what is not there or damaged is left out.
    init(reading exif: UnsafeRawBufferPointer) {
        // WebP files of some programs have it before the data; JPEG's reader took it off.
        let start = exif.starts(with: "Exif\0\0".utf8) ? 6 : 0
        guard let reader = Reader(UnsafeRawBufferPointer(rebasing: exif.dropFirst(start))) else { return }
        let first = reader.entries(ofDirectoryAt: reader.firstDirectory)
        orientation = first[Tag.orientation].flatMap { reader.number(at: $0 + 8, UInt16.self) }
        guard let place = first[Tag.exifDirectory].flatMap({ reader.number(at: $0 + 8, UInt32.self) }) else {
            return
        }
        let inner = reader.entries(ofDirectoryAt: Int(place))
        makerNote = inner[Tag.makerNote].flatMap(reader.bytes)
        userComment = inner[Tag.userComment].flatMap(reader.bytes).map {
            Self.text(ofComment: $0, isLittle: reader.isLittle)
        }
    }

    /// The data, big-endian, without `Exif\0\0`.
    var encoded: Data {
        var entries: [(tag: UInt16, bytes: [UInt8])] = []
        if let makerNote { entries.append((Tag.makerNote, makerNote)) }
        if let userComment {
            let units = userComment.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            entries.append((Tag.userComment, Array("UNICODE\0".utf8) + units))
        }
        var data = Data("MM\0*".utf8)
        func append<Value: FixedWidthInteger>(_ value: Value) {
            withUnsafeBytes(of: value.bigEndian) { data.append(contentsOf: $0) }
        }
        append(UInt32(8))
        append(UInt16(1))
        append(Tag.exifDirectory)
        append(Self.long)
        append(UInt32(1))
        append(UInt32(26))
        append(UInt32(0))
        append(UInt16(entries.count))
        var offset = 26 + 2 + 12 * entries.count + 4
        for entry in entries {
            append(entry.tag)
            append(Self.undefined)
            append(UInt32(entry.bytes.count))
            // What fits into four bytes stands in the entry itself.
            if entry.bytes.count <= 4 {
                data.append(contentsOf: entry.bytes + Array(repeating: 0, count: 4 - entry.bytes.count))
            } else {
                append(UInt32(offset))
                offset += entry.bytes.count + entry.bytes.count % 2
            }
        }
        append(UInt32(0))
        for entry in entries where entry.bytes.count > 4 {
            data.append(contentsOf: entry.bytes + (entry.bytes.count % 2 == 1 ? [0] : []))
        }
        return data
    }

    /// A comment's text by the eight bytes that name its code.
    private static func text(ofComment bytes: [UInt8], isLittle: Bool) -> String {
        let (code, rest) = (bytes.prefix(8), bytes.dropFirst(8))
        guard code.starts(with: "UNICODE".utf8) else {
            let text = ["ASCII\0\0\0", "\0\0\0\0\0\0\0\0"].contains { code.elementsEqual($0.utf8) }
            return String(decoding: (text ? rest : bytes[...]).prefix { $0 != 0 }, as: UTF8.self)
        }
        func units(isLittle: Bool) -> [UInt16] {
            stride(from: rest.startIndex, to: rest.endIndex - 1, by: 2).map {
                let (first, second) = (UInt16(rest[$0]), UInt16(rest[$0 + 1]))
                return isLittle ? second << 8 | first : first << 8 | second
            }
        }
        // Programs disagree on whose order of bytes it is: the one that gives more Latin letters is meant.
        func letters(_ units: [UInt16]) -> Int { units.count { $0 < 128 } }
        let (own, other) = (units(isLittle: isLittle), units(isLittle: !isLittle))
        let chosen = letters(other) > letters(own) ? other : own
        let text = chosen.first == 0xFEFF ? chosen.dropFirst() : chosen[...]
        return String(decoding: text.reversed().drop { $0 == 0 }.reversed(), as: UTF16.self)
    }
}

/// Numbers and directories of a TIFF file.
private struct Reader {
    let bytes: UnsafeRawBufferPointer
    let isLittle: Bool
    private(set) var firstDirectory = 0

    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 8 else { return nil }
        self.bytes = bytes
        switch (bytes[0], bytes[1]) {
        case (UInt8(ascii: "I"), UInt8(ascii: "I")): isLittle = true
        case (UInt8(ascii: "M"), UInt8(ascii: "M")): isLittle = false
        default: return nil
        }
        guard number(at: 2, UInt16.self) == 42, let place = number(at: 4, UInt32.self) else { return nil }
        firstDirectory = Int(place)
    }

    func number<Value: FixedWidthInteger>(at offset: Int, _ type: Value.Type) -> Value? {
        guard offset >= 0, offset <= bytes.count - MemoryLayout<Value>.size else { return nil }
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: Value.self)
        return isLittle ? Value(littleEndian: value) : Value(bigEndian: value)
    }

    /// Where the first entry of each tag stands.
    func entries(ofDirectoryAt place: Int) -> [UInt16: Int] {
        var entries: [UInt16: Int] = [:]
        for index in 0..<Int(number(at: place, UInt16.self) ?? 0) {
            let entry = place + 2 + 12 * index
            guard let tag = number(at: entry, UInt16.self) else { break }
            if entries[tag] == nil { entries[tag] = entry }
        }
        return entries
    }

    /// The bytes of an entry, if they are all there.
    func bytes(ofEntryAt entry: Int) -> [UInt8]? {
        guard let count = number(at: entry + 4, UInt32.self).map({ Int($0) }),
            let place = count <= 4 ? entry + 8 : number(at: entry + 8, UInt32.self).map({ Int($0) }),
            place <= bytes.count, count <= bytes.count - place
        else { return nil }
        return Array(bytes[place..<place + count])
    }
}
