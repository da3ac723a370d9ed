import Foundation
import TensorGraph
import Testing

@testable import Checkpoints

/// GGUF files and numbers of 8 bits: `Tests/Golden/quantized.py`; and files that someone made to do harm.
@Suite struct GGUFTests {
    private static let golden = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../Golden/checkpoints")

    private func golden(_ name: String) throws -> Checkpoint {
        try Checkpoint(contentsOf: Self.golden.appending(path: name))
    }

    @Test(arguments: ["types.gguf", "float8.safetensors"])
    func valuesAreTheReferences(_ file: String) throws {
        let (own, wanted) = (try golden(file), try golden("quantized.safetensors"))
        let (mapped, expected) = (
            try own.map(additionalBytes: 64), try wanted.map(additionalBytes: 0)
        )
        #expect(own.names.count == (file.hasSuffix("gguf") ? 16 : 4))
        for name in own.names {
            let entry = try #require(wanted.entry(named: name))
            #expect(own.entry(named: name) == entry, "\(name)")
            let values = try #require(mapped.floats(of: name, entry))
            let reference = try #require(expected.floats(of: name, entry))
            for (value, reference) in zip(values, reference) {
                // What is multiplied and added in other orders differs by a rounding.
                let tolerance = name.hasSuffix("_K") ? abs(reference) * 0x1p-10 + 1e-6 : 0
                #expect(
                    value == reference || value.isNaN && reference.isNaN
                        || abs(value - reference) <= tolerance, "\(name)")
            }
        }
    }

    @Test(arguments: [(SafetensorsType.float8E4M3, 0x7E), (.float8E5M2, 0x7B)])
    func numbersOf8BitsAreTheNearest(_ type: SafetensorsType, largest: Int) throws {
        let known = (0...255).map { UInt8($0) }
        let decoder = try #require(Float8Values(type, offset: 0))
        var halves = [UInt16](repeating: 0, count: 256)
        known.withUnsafeBytes { known in halves.withUnsafeMutableBytes { decoder.decode(known, into: $0) } }
        let values = halves.map { Float(float16: UInt16(littleEndian: $0)) }
        func stored(_ values: [Float]) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: values.count)
            bytes.withUnsafeMutableBytes { type.store(values, into: $0) }
            return bytes
        }
        for sign in [0, 0x80] {
            #expect(
                stored(values[sign...sign + largest].map { $0 }) == known[sign...sign + largest].map { $0 })
            for byte in sign..<sign + largest {
                let (low, high) = (values[byte], values[byte + 1])
                let middle = (low + high) / 2
                let even = UInt8(byte + byte % 2)
                let toLow = sign == 0 ? middle.nextDown : middle.nextUp
                let toHigh = sign == 0 ? middle.nextUp : middle.nextDown
                #expect(stored([middle, toLow, toHigh]) == [even, UInt8(byte), UInt8(byte + 1)])
            }
            let end = values[sign + largest]
            #expect(stored([end * 1.5, end * 1e30]).allSatisfy { $0 == UInt8(sign + largest) })
        }
        #expect(values[Int(stored([.nan])[0])].isNaN)
        let infinite = values[Int(stored([-.infinity])[0])]
        #expect(type == .float8E5M2 ? infinite == -.infinity : infinite.isNaN)
    }

    @Test func metadataIsText() throws {
        let checkpoint = try golden("types.gguf")
        #expect(checkpoint.format == .gguf)
        #expect(checkpoint.metadata["general.name"] == "tiny" && checkpoint.metadata["some.number"] == "0.5")
        #expect(checkpoint.metadata["some.texts"] == nil)
    }

    // MARK: Harmful files

    private static let start: [UInt8] = Array("GGUF".utf8) + little(UInt32(3))

    private static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    private static func text(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + text.utf8 }

    private func problem(_ bytes: [UInt8]) -> GGUFError.Problem? {
        bytes.withUnsafeBytes { buffer in
            do throws(GGUFError) { _ = try StoredTensors.gguf(buffer, path: "f") } catch {
                return error.problem
            }
            return nil
        }
    }

    /// A file with one pair of metadata and one tensor, and values behind it.
    private func file(
        pairs: [[UInt8]] = [], name: String = "t", rank: UInt32? = nil, shape: [UInt64] = [4],
        type: UInt32 = 0,
        offset: UInt64 = 0, tensors: Int = 1, values: Int = 64
    ) -> [UInt8] {
        var bytes = Self.start + Self.little(UInt64(tensors)) + Self.little(UInt64(pairs.count))
        bytes += pairs.flatMap { $0 }
        for index in 0..<tensors {
            bytes += Self.text(tensors == 1 ? name : "\(name)\(index)")
            bytes += Self.little(rank ?? UInt32(shape.count)) + shape.flatMap { Self.little($0) }
            bytes += Self.little(type) + Self.little(offset)
        }
        bytes += Array(repeating: 0, count: (32 - bytes.count % 32) % 32)
        return bytes + Array(repeating: 0, count: values)
    }

    private func pair(_ key: String, _ type: UInt32, _ value: [UInt8]) -> [UInt8] {
        Self.text(key) + Self.little(type) + value
    }

    @Test func whatIsWellFormedIsRead() {
        #expect(problem(file()) == nil)
        #expect(problem(file(shape: [])) == nil)
        #expect(problem(file(shape: [32, 2], type: 2)) == nil)
        #expect(problem(file(shape: [0, 2])) == nil)
        #expect(problem(file(pairs: [pair("a", 8, Self.text("b"))])) == nil)
    }

    // M47
    @Test func otherVersionsAreNamed() {
        for version: UInt32 in [0, 1, 4] {
            let bytes = Array("GGUF".utf8) + Self.little(version) + Array(repeating: 0, count: 32)
            #expect(problem(bytes) == .version(version))
        }
        #expect(problem(Array("GGUF".utf8) + [0, 0, 0, 3] + Array(repeating: 0, count: 32)) == .bigEndian)
        #expect(problem(Array("GGUF".utf8)) == .truncated(offset: 4, needed: 4, available: 0))
    }

    // M48
    @Test func countsAreHeldAgainstTheBytes() {
        for count in [UInt64.max, 1 << 32, 3] {
            let bytes =
                Self.start + Self.little(count) + Self.little(UInt64(0)) + Array(repeating: 0, count: 40)
            #expect(problem(bytes) == .noRoom(for: "tensors", count: count, available: 48, shortest: 32))
            let pairs = Self.start + Self.little(UInt64(0)) + Self.little(count + (count < 9 ? 9 : 0))
            #expect(
                problem(pairs + Array(repeating: 0, count: 30))
                    == .noRoom(
                        for: "metadata", count: count + (count < 9 ? 9 : 0), available: 30, shortest: 13))
        }
        let many =
            Self.start + Self.little(UInt64(100_001)) + Self.little(UInt64(0))
            + Array(repeating: 0, count: 32 * 100_001)
        #expect(problem(many) == .count(of: "tensors", count: 100_001, limit: 100_000))
    }

    // M49
    @Test func metadataIsChecked() {
        func fails(_ pair: [UInt8], _ pairs: [UInt8]...) -> String {
            problem(file(pairs: [pair] + pairs)).map { "\(GGUFError(path: "f", problem: $0))" } ?? "nothing"
        }
        #expect(
            fails(Self.text("k") + Self.little(UInt32(8)) + Self.little(UInt64.max)).contains(
                "ends too early"))
        #expect(
            fails(pair("k", 9, Self.little(UInt32(9)) + Self.little(UInt64(1)))).contains("list of lists"))
        #expect(
            fails(pair("k", 9, Self.little(UInt32(6)) + Self.little(UInt64.max))).contains(
                "\(UInt64.max) numbers in k, of which each takes 4 bytes"))
        #expect(fails(pair("k", 13, [])).contains("type is number 13"))
        #expect(fails(pair("", 0, [1])).contains("empty"))
        #expect(fails(pair("a\u{0}", 0, [1])).contains("control character"))
        #expect(fails(pair("k", 0, [1]), pair("k", 0, [1])).contains("two values"))
        #expect(
            fails(pair("k", 8, Self.little(UInt64(2)) + [0xFF, 0xFE])).contains("\"k\": it is not UTF-8"))
        let long = [UInt8](repeating: 0x61, count: 1 << 20)
        #expect(
            fails(pair("k", 8, Self.little(UInt64(long.count + 1)) + long + [0x61])).contains(
                "\"k\": it has 1048577 bytes; at most 1048576 are read"))
        #expect(
            fails(Self.text(String(repeating: "k", count: 4097)) + Self.little(UInt32(0)) + [1]).contains(
                "it has 4097 bytes; at most 4096 are read"))
    }

    @Test func headersAreNotReadWithoutEnd() {
        let count = 100_000_000
        let lists = [
            // Of numbers, and of texts.
            Self.little(UInt32(0)) + Self.little(UInt64(count)),
            Self.little(UInt32(8)) + Self.little(UInt64(2)) + Self.little(UInt64(count)),
        ]
        for list in lists {
            var bytes = Self.start + Self.little(UInt64(0)) + Self.little(UInt64(1))
            bytes += Self.text("k") + Self.little(UInt32(9)) + list
            bytes.append(contentsOf: repeatElement(0, count: count))
            #expect(problem(bytes) == .headerTooLong(limit: 100_000_000))
        }
    }

    // M50
    @Test func alignmentsAreChecked() {
        for value: UInt32 in [0, 3, 1 << 31] {
            #expect(problem(file(pairs: [pair("general.alignment", 4, Self.little(value))])) != nil)
        }
        #expect(problem(file(pairs: [pair("general.alignment", 10, Self.little(UInt64(32)))])) != nil)
        #expect(problem(file(pairs: [pair("general.alignment", 4, Self.little(UInt32(16)))])) == nil)
    }

    // M51
    @Test func tensorsAreChecked() {
        func fails(_ bytes: [UInt8]) -> String {
            problem(bytes).map { "\(GGUFError(path: "f", problem: $0))" } ?? "nothing"
        }
        #expect(fails(file(shape: [1, 1, 1, 1, 1])).contains("5 axes"))
        #expect(fails(file(shape: [.max])).contains("an axis of"))
        #expect(fails(file(shape: [1 << 62, 1 << 62])).contains("more elements"))
        #expect(fails(file(shape: [33], type: 2)).contains("blocks of 32"))
        #expect(fails(file(type: 19)).contains("IQ1_S (number 19"))
        #expect(fails(file(type: 20)).contains("IQ4_NL (number 20"))
        #expect(fails(file(type: 999)).contains("number 999"))
        #expect(fails(file(offset: 31)).contains("no multiple of 32"))
        #expect(fails(file(offset: .max - 31)).contains("byte \(UInt64.max - 31) of the values, is not in"))
        #expect(fails(file(offset: UInt64(Int.max) - 31)).contains("not in the file"))
        // Of no bytes, and yet in the file.
        #expect(fails(file(shape: [0], offset: UInt64(Int.max) - 31)).contains("not in the file"))
        #expect(fails(file(shape: [1 << 61], type: 0)).contains("more bytes than can be addressed"))
        #expect(fails(file(values: 15)).contains("may not be complete"))
        #expect(fails(file(tensors: 2)).contains("another one ends at 16"))
        #expect(fails(file(name: "")).contains("empty"))
    }
}
