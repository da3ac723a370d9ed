import Foundation
import TensorGraph
import Testing

@testable import Checkpoints

/// Blocks are those that ggml's own Python package makes: `Tests/Golden/quantized.py`.
@Suite struct GGUFWriterTests {
    private let folder: TemporaryFolder
    private static let golden = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../Golden/checkpoints/blocks.safetensors")

    init() throws { folder = try TemporaryFolder() }

    private func floats(_ name: String, of weights: Checkpoint) throws -> [Float] {
        let entry = try #require(weights.entry(named: name))
        return try #require(try weights.map(additionalBytes: 0).floats(of: name, entry))
    }

    @Test(arguments: BlockFormat.allCases)
    func blocksAreTheReferences(_ format: BlockFormat) throws {
        let golden = try Checkpoint(contentsOf: Self.golden)
        let expected = try floats(format.rawValue.uppercased(), of: golden).map { UInt8($0) }
        #expect(format.blocks(of: try floats("numbers", of: golden)) == expected)
    }

    @Test(arguments: BlockFormat.allCases)
    func numbersThatAreNoneAreSeen(_ format: BlockFormat) throws {
        var numbers = [Float](repeating: 1, count: 64)
        numbers[40] = -.infinity
        let (bytes, size) = (format.blocks(of: numbers), format.type.block.byteCount)
        var halves = [UInt16](repeating: 0, count: 64)
        let blocks = QuantizedBlocks(type: format.type, offset: 0, blockCount: 2)
        bytes.withUnsafeBytes { bytes in halves.withUnsafeMutableBytes { blocks.decode(bytes, into: $0) } }
        let values = halves.map { Float(float16: $0) }
        #expect(bytes.count == 2 * size)
        #expect(values[..<32].allSatisfy { abs($0 - 1) < 0.01 })
        #expect(values[32...].contains { !$0.isFinite })
    }

    /// A matrix, the same the other way round and in two parts, a kernel, a vector, an embedding and zeros.
    private func write(_ format: BlockFormat, _ numbers: NumberType?, to name: String) throws -> Checkpoint {
        let golden = try Checkpoint(contentsOf: Self.golden)
        let source = WeightView(golden, sources: ["m": .init("numbers")])
        let planned = [
            PlannedTensor("a.weight", shape: [8, 64], sources: ["m"]),
            PlannedTensor("b.weight", shape: [16, 64], sources: ["m", "m"]),
            PlannedTensor("c.weight", shape: [64, 8], sources: ["m"], isTransposed: true),
            PlannedTensor("token_embedding.weight", shape: [8, 64], sources: ["m"]),
            PlannedTensor("time_embed.0.weight", shape: [8, 64], sources: ["m"]),
            PlannedTensor("kernel.weight", shape: [8, 64, 1, 1], sources: ["m"]),
            PlannedTensor("a.bias", shape: [512], sources: ["m"]),
            PlannedTensor("unused", shape: [3], sources: []),
        ]
        let url = folder.url.appending(path: name)
        try GGUFWriter(
            [(source, planned)], blocks: format, numbers: numbers, metadata: ["general.architecture": "sd1"]
        ).write(to: url)
        return try Checkpoint(contentsOf: url)
    }

    /// Half precision rounds a product of an integer and a scale, which the integers and scales do not.
    @Test(arguments: [(BlockFormat.q4, 4), (.q4, 8), (.q5, 8), (.q8, 8)] as [(BlockFormat, Int)])
    func blocksAreTakenAsTheyAre(_ format: BlockFormat, bitCount: Int) throws {
        let own = try write(format, nil, to: "a.gguf")
        let source = try floats("numbers", of: Checkpoint(contentsOf: Self.golden))
        let (bytes, size) = (format.blocks(of: source), format.type.block.byteCount)
        // The second half of `b` is `a` again, under a name of its own; so is what is read of an adapter's base.
        let view = WeightView(
            own,
            sources: [
                "a.weight": .init("a.weight"), "d.weight": .init("b.weight", part: .init(1, of: 2)),
                "c.weight": .init("c.weight"),
            ])
        for asked in [bitCount, nil] {
            let quantized = QuantizedWeights(
                view, matrices: ["a", "c", "d"], groupSize: 32, bitCount: asked)
            #expect(quantized.entry(named: "c.weight")?.elementType == .float32)
            let mapped = try quantized.map(additionalBytes: 0)
            for layer in ["a", "d"] {
                let entry = try #require(quantized.entry(named: "\(layer).weight"))
                let isFour = (asked ?? (format == .q4 ? 4 : 8)) == 4
                #expect(
                    entry == WeightEntry(shape: [8, 2, 32], elementType: isFour ? .int4 : .int8))
                let scaleEntry = try #require(quantized.entry(named: "\(layer).weight_scale"))
                let integers = try #require(mapped.floats(of: "\(layer).weight", entry))
                let scales = try #require(mapped.floats(of: "\(layer).weight_scale", scaleEntry))
                for block in 0..<16 {
                    let start = block * size
                    let scale = Float(
                        float16: UInt16(bytes[start]) | UInt16(bytes[start + 1]) << 8)
                    #expect(scales[block] == scale)
                    for place in 0..<32 {
                        let low = Int(bytes[start + (format == .q5 ? 6 : 2) + place % 16])
                        let half = place < 16 ? low & 15 : low >> 4
                        let fifth = Int(bytes[start + 2 + place / 8] >> (place % 8) & 1) << 4
                        let level: Int =
                            switch format {
                            case .q4: half - 8
                            case .q5: half + fifth - 16
                            default: Int(Int8(bitPattern: bytes[start + 2 + place]))
                            }
                        #expect(integers[block * 32 + place] == Float(level))
                    }
                }
            }
        }
        // Fewer bits than the file's are rounded to, and blocks with minima are as well.
        let fewer = QuantizedWeights(view, matrices: ["a"], groupSize: 32, bitCount: 4)
        #expect(fewer.entry(named: "a.weight")?.elementType == .int4)
        #expect(try fewer.map(additionalBytes: 0).firstNonFinite(in: fewer) == nil)
        #expect(try write(.q4WithMinimum, nil, to: "b.gguf").groupedIntegers(of: "a.weight") == nil)
        #expect(own.groupedIntegers(of: "c.weight") == nil && own.groupedIntegers(of: "no.such") == nil)
    }

    @Test func aFileThatIsCutShortIsSeen() throws {
        let own = try write(.q4, nil, to: "a.gguf")
        let quantized = QuantizedWeights(own, matrices: ["a", "b"], groupSize: 32, bitCount: 4)
        let file = try FileHandle(forWritingTo: folder.url.appending(path: "a.gguf"))
        try file.truncate(atOffset: 1000)
        try file.close()
        #expect(throws: FileError.self) { try quantized.map(additionalBytes: 0) }
    }

    @Test func matricesAreInBlocksAndTheRestIsNot() throws {
        let own = try write(.q8, nil, to: "a.gguf")
        #expect(own.format == .gguf && own.metadata["general.architecture"] == "sd1")
        let wanted: [String: String] = [
            "a.weight": "Q8_0", "b.weight": "Q8_0", "c.weight": "F32", "token_embedding.weight": "F32",
            "time_embed.0.weight": "F32", "kernel.weight": "F32", "a.bias": "F32", "unused": "F16",
        ]
        #expect(own.names.count == wanted.count)
        for (name, type) in wanted { #expect(own.storedType(of: name) == type, "\(name)") }
        #expect(own.entry(named: "kernel.weight")?.shape == [8, 64, 1, 1])
        let numbers = try floats("numbers", of: Checkpoint(contentsOf: Self.golden))
        for name in ["token_embedding.weight", "kernel.weight", "a.bias"] {
            #expect(try floats(name, of: own) == numbers)
        }
        let (once, twice) = (try floats("a.weight", of: own), try floats("b.weight", of: own))
        #expect(twice == once + once)
        let gaps: [Float] = zip(once, numbers).map { abs($0 - $1) }
        let greatest: Float = gaps.max() ?? 1
        #expect(greatest > 0 && greatest < 8 / 127)
        let turned = try floats("c.weight", of: own)
        for place in 0..<512 {
            let (row, column) = (place % 8, place / 8)
            #expect(turned[place] == numbers[row * 64 + column])
        }
        #expect(try floats("unused", of: own) == [0, 0, 0])
    }

    @Test func otherNumbersAreStoredAsAskedFor() throws {
        let own = try write(.q4, .bfloat16, to: "a.gguf")
        #expect(own.storedType(of: "a.weight") == "Q4_0" && own.storedType(of: "c.weight") == "BF16")
        #expect(own.storedType(of: "a.bias") == "BF16")
    }

    @Test func nothingIsHalfWritten() throws {
        let golden = try Checkpoint(contentsOf: Self.golden)
        let planned = PlannedTensor("a", shape: [8, 64], sources: ["numbers"])
        let writer = GGUFWriter([(golden, [planned])], blocks: .q8, numbers: nil, metadata: [:])
        #expect(throws: FileError.self) {
            try writer.write(to: folder.url.appending(path: "no/such/folder.gguf"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }
}
