import Checkpoints

/// The pickle of an archive of `torch.save`, with two storages beside it.
func checkPickle(_ bytes: [UInt8]) throws(Broken) {
    var archive = StoredArchive()
    archive.add("a/data.pkl", bytes)
    archive.add("a/data/0", [UInt8](repeating: 0x3F, count: 64))
    archive.add("a/data/1", [UInt8](repeating: 0x3F, count: 32))
    try checkTorch(archive.finished)
}

/// A zip archive whose members are stored as they are.
private struct StoredArchive {
    private var bytes: [UInt8] = []
    private var directory: [UInt8] = []
    private var count = 0

    mutating func add(_ name: String, _ contents: [UInt8]) {
        let sizes = number(checksum(contents), 4) + number(contents.count, 4) + number(contents.count, 4)
        let common = number(0, 2) + number(0, 2) + number(0, 4) + sizes + number(name.utf8.count, 2)
        directory += number(0x0201_4B50, 4) + number(0, 4) + common + number(0, 12)
        directory += number(bytes.count, 4) + Array(name.utf8)
        bytes += number(0x0403_4B50, 4) + number(0, 2) + common + number(0, 2)
        bytes += Array(name.utf8) + contents
        count += 1
    }

    var finished: [UInt8] {
        bytes + directory + number(0x0605_4B50, 4) + number(0, 4) + number(count, 2) + number(count, 2)
            + number(directory.count, 4) + number(bytes.count, 4) + number(0, 2)
    }

    private func number(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB8_8320 }
    }

    private func checksum(_ bytes: [UInt8]) -> Int {
        Int(~bytes.reduce(~0) { Self.table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 })
    }
}
