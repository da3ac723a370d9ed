import Foundation

extension TinyFile {
    /// Writes the tensors as `torch.save` does, under `state_dict` beside what a training leaves: a zip archive with a
    /// pickle and a member for each tensor's values.
    func writeTorch(to url: URL) throws {
        let tensors = tensors.sorted { $0.key < $1.key }
        var pickle: [UInt8] = [0x80, 2] + Array("}(".utf8)
        pickle += Self.text("epoch") + [0x4B, 7] + Self.text("state_dict") + Array("}(".utf8)
        for (key, (name, shape)) in tensors.enumerated() {
            let count = shape.reduce(1, *)
            pickle += Self.text(name) + Array("ctorch._utils\n_rebuild_tensor_v2\n((".utf8)
            pickle += Self.text("storage") + Array("ctorch\nFloatStorage\n".utf8)
            pickle += Self.text("\(key)") + Self.text("cpu") + Self.integer(count) + Array("tQ".utf8)
            let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
            pickle += Self.integer(0) + Self.tuple(shape) + Self.tuple(strides) + [0x89] + Array("}tR".utf8)
        }
        pickle += Array("uu.".utf8)
        var members = [("archive/data.pkl", pickle)]
        for (key, (name, shape)) in tensors.enumerated() {
            let values = given[name] ?? Self.values(of: name, shape: shape)
            members.append(("archive/data/\(key)", values.withUnsafeBytes { Array($0) }))
        }
        try Data(Self.zip(members)).write(to: url)
    }

    private static func text(_ text: String) -> [UInt8] {
        [0x58] + little(UInt32(text.utf8.count)) + Array(text.utf8)
    }

    private static func integer(_ value: Int) -> [UInt8] { [0x4A] + little(Int32(value)) }

    private static func tuple(_ values: [Int]) -> [UInt8] {
        Array("(".utf8) + values.flatMap(integer) + Array("t".utf8)
    }

    private static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    /// An archive whose members are stored as they are.
    private static func zip(_ members: [(name: String, bytes: [UInt8])]) -> [UInt8] {
        var (file, directory): ([UInt8], [UInt8]) = ([], [])
        for (name, bytes) in members {
            let start = UInt32(file.count)
            let size = UInt32(bytes.count)
            let common =
                little(UInt16(0)) + little(UInt16(0)) + little(UInt32(0)) + little(checksum(of: bytes))
                + little(size)
                + little(size) + little(UInt16(name.utf8.count)) + little(UInt16(0))
            file += little(0x0403_4B50 as UInt32) + little(UInt16(20)) + common + Array(name.utf8) + bytes
            directory +=
                little(0x0201_4B50 as UInt32) + little(UInt16(20)) + little(UInt16(20)) + common
                + [UInt8](repeating: 0, count: 10) + little(start) + Array(name.utf8)
        }
        let count = UInt16(members.count)
        return file + directory + little(0x0605_4B50 as UInt32) + little(UInt32(0)) + little(count)
            + little(count)
            + little(UInt32(directory.count)) + little(UInt32(file.count)) + little(UInt16(0))
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
    }

    /// CRC-32.
    private static func checksum(of bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0 as UInt32) { $0 >> 8 ^ table[Int(($0 ^ UInt32($1)) & 0xFF)] }
    }
}
