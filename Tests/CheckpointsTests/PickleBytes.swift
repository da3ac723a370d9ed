import Foundation

/// A pickle, instruction by instruction, and the zip archive that PyTorch puts it in.
struct PickleBytes: ExpressibleByArrayLiteral {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
    init(arrayLiteral parts: PickleBytes...) { bytes = parts.flatMap(\.bytes) }

    static func raw(_ bytes: UInt8...) -> PickleBytes { PickleBytes(bytes) }
    static let proto = raw(0x80, 2)
    static let stop = raw(0x2E)
    static let mark = raw(0x28)
    static let none = raw(0x4E)
    static let `false` = raw(0x89)
    static let dictionary = raw(0x7D)
    static let list = raw(0x5D)
    static let emptyTuple = raw(0x29)
    static let tuple = raw(0x74)
    static let tuple1 = raw(0x85)
    static let tuple2 = raw(0x86)
    static let append = raw(0x61)
    static let setItem = raw(0x73)
    static let setItems = raw(0x75)
    static let reduce = raw(0x52)
    static let build = raw(0x62)
    static let newObject = raw(0x81)
    static let persistent = raw(0x51)

    static func global(_ module: String, _ name: String) -> PickleBytes {
        PickleBytes([0x63] + Array("\(module)\n\(name)\n".utf8))
    }

    static func text(_ text: String) -> PickleBytes {
        PickleBytes([0x58] + littleEndian(UInt32(text.utf8.count)) + Array(text.utf8))
    }

    static func integer(_ value: Int) -> PickleBytes {
        PickleBytes([0x8A, 8] + littleEndian(Int64(value)))
    }

    static func integers(_ values: [Int]) -> PickleBytes {
        PickleBytes(mark.bytes + values.flatMap { integer($0).bytes } + tuple.bytes)
    }

    static func put(_ place: UInt8) -> PickleBytes { raw(0x71, place) }
    static func get(_ place: UInt8) -> PickleBytes { raw(0x68, place) }

    /// A view of float32 storage.
    static func tensor(
        _ shape: [Int], strides: [Int], offset: Int = 0, key: String = "0", count: Int,
        kind: String = "storage"
    ) -> PickleBytes {
        [
            global("torch._utils", "_rebuild_tensor_v2"), mark, mark, text(kind),
            global("torch", "FloatStorage"), text(key), text("cpu"), integer(count), tuple, persistent,
            integer(offset), integers(shape), integers(strides), `false`,
            global("collections", "OrderedDict"), emptyTuple, reduce, tuple, reduce,
        ]
    }

    /// A dictionary of one value.
    static func file(_ value: PickleBytes, named name: String = "a") -> PickleBytes {
        [proto, dictionary, text(name), value, setItem, stop]
    }
}

func littleEndian<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// A zip archive of stored members.
struct ZipBytes {
    struct Member {
        var name: String
        var bytes: [UInt8]
        var flags: UInt16 = 0
        var method: UInt16 = 0
        var localName: String?
        var checksum: UInt32?
        /// Where the directory says it is, instead of where it is.
        var offset: UInt32?
        /// The number of the archive's part that it is in.
        var part: UInt16 = 0
        /// Whether the directory alone has it.
        var isOnlyListed = false

        fileprivate var common: [UInt8] {
            littleEndian(flags) + littleEndian(method) + [0, 0, 0, 0] + littleEndian(checksum ?? crc(bytes))
                + littleEndian(UInt32(bytes.count)) + littleEndian(UInt32(bytes.count))
        }

        /// As it is in the archive, behind its own header.
        var local: [UInt8] {
            let name = Array((localName ?? name).utf8)
            return [0x50, 0x4B, 3, 4, 20, 0] + common + littleEndian(UInt16(name.count)) + [0, 0] + name
                + bytes
        }
    }

    var members: [Member]
    var countInEnd: UInt16?
    var directoryOffset: UInt32?

    var bytes: [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for member in members {
            let offset = member.offset ?? UInt32(file.count)
            if !member.isOnlyListed { file += member.local }
            let name = Array(member.name.utf8)
            directory += [0x50, 0x4B, 1, 2, 20, 0, 20, 0] + member.common + littleEndian(UInt16(name.count))
            directory +=
                [0, 0, 0, 0] + littleEndian(member.part) + [0, 0, 0, 0, 0, 0] + littleEndian(offset)
            directory += name
        }
        let count = countInEnd ?? UInt16(members.count)
        let end =
            [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + littleEndian(count) + littleEndian(count)
            + littleEndian(UInt32(directory.count)) + littleEndian(directoryOffset ?? UInt32(file.count)) + [
                0, 0,
            ]
        return file + directory + end
    }

}

private func crc(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { checksum, byte in
        (0..<8).reduce(checksum ^ UInt32(byte)) { value, _ in
            value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
        }
    }
}
