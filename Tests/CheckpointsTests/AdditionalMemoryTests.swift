import Foundation
import TensorGraph
import Testing

@testable import Checkpoints

/// The memory behind mapped files, of which a large one is a file too.
@Suite("Additional memory")
struct AdditionalMemoryTests {
    @Test(arguments: [1 << 12, 1 << 27])
    func holdsWhatWasWrittenWhenItsPagesAreGivenBack(byteCount: Int) throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appending(path: "file")
        try Data(repeating: 7, count: 5000).write(to: url)
        let file = try RegularFile(opening: url.path)
        let mapping = try FileMapping([file], additionalBytes: byteCount)
        let start = mapping.additionalOffset
        #expect(mapping.bytes[start] == 0 && mapping.bytes[start + byteCount - 1] == 0)
        // Some is written as a whole, some in place.
        let values = (0..<2000).map { UInt8($0 % 251) }
        values.withUnsafeBytes { mapping.write($0, at: start + byteCount - 2000) }
        mapping.bytes[start + 1] = 9
        mapping.releaseFilePages()
        #expect(mapping.bytes[0] == 7 && mapping.bytes[start + 1] == 9 && mapping.bytes[start] == 0)
        #expect(Array(mapping.bytes[(start + byteCount - 2000)...].prefix(2000)) == values)
        try mapping.validate()
    }

    @Test func partsOfItAreMadeSideBySide() throws {
        let base = MappedBytes(count: 100)
        var made = MadeWeights()
        for index in 0..<5 { made.reserve("made \(index)", byteCount: 10 + index) }
        #expect(made.additionalBytes(and: .max) == .max)
        let count = made.additionalBytes(and: 3)
        #expect(count >= 5 * 64 - 64 + 14 + 3)
        let weights = base.map(additionalBytes: count)
        let all = try made.making(of: weights, among: ["own"], iterations: 5) { index, memory in
            memory("made \(index)").initializeMemory(as: UInt8.self, repeating: UInt8(index + 1))
        }
        #expect(all.offset(of: "own") == 0 && all.additionalOffset == weights.additionalOffset + 5 * 64)
        for index in 0..<5 {
            let offset = try #require(all.offset(of: "made \(index)"))
            #expect(offset % 64 == weights.additionalOffset % 64)
            #expect(all.bytes[offset..<offset + 10 + index].allSatisfy { $0 == UInt8(index + 1) })
        }
    }
}

/// Memory without a file.
private struct MappedBytes {
    let count: Int

    func map(additionalBytes: Int) -> MappedWeights {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count + additionalBytes, alignment: 64)
        nonisolated(unsafe) let memory = bytes
        return MappedWeights(
            bytes: bytes, additionalOffset: count, offsets: ["own": 0], release: { memory.deallocate() })
    }
}
