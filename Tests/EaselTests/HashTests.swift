import Checkpoints
import Foundation
import OpenVINOEngine
import Testing

@testable import Easel

@Suite("Hashes of files, as other programs write them")
struct HashTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    /// A file of 6 MB whose header is 5 MB long; Python's hashlib said what its hashes are.
    private func writtenFile() throws -> URL {
        var bytes = (0..<6_000_000).map { UInt8(truncatingIfNeeded: $0 * $0 / 251) }
        bytes.replaceSubrange(0..<8, with: withUnsafeBytes(of: UInt64(5_000_000).littleEndian) { Array($0) })
        let file = folder.url.appending(path: "model.safetensors")
        try Data(bytes).write(to: file)
        return file
    }

    @Test func hashesAreHashlibs() throws {
        let hashes = try FileHashes(of: writtenFile(), hasHeader: true)
        #expect(hashes.sha256 == "e28c8f7685eb191f1894de835be2f14ada0ce9006e47307bc7001c539bd86943")
        #expect(hashes.shortHash == String(hashes.sha256.prefix(10)))
        #expect(hashes.valuesSHA256 == "ad8f588ef88ac9ce41687048a06ef7ad3123398385a5d5d9b875faf80c4b38ca")
        #expect(
            hashes.valuesHash
                == String("ad8f588ef88ac9ce41687048a06ef7ad3123398385a5d5d9b875faf80c4b38ca".prefix(12)))
        #expect(hashes.legacyHash == "e6dd0bf9")
        let other = try FileHashes(of: writtenFile(), hasHeader: false)
        #expect(other.valuesSHA256 == nil && other.valuesHash == String(hashes.sha256.prefix(12)))
    }

    @Test func theyAreKeptForAsLongAsTheFileIsTheSame() throws {
        let file = try writtenFile()
        let kept = folder.url.appending(path: "cache/hashes.json")
        let hashes = try HashCache(file: kept, leastByteCount: 1 << 20).hashes(of: file, hasHeader: true)
        // A reader of what is kept believes it.
        let text = try String(contentsOf: kept, encoding: .utf8)
        try text.replacing(hashes.sha256, with: String(repeating: "0", count: 64))
            .write(to: kept, atomically: true, encoding: .utf8)
        let cache = HashCache(file: kept, leastByteCount: 1 << 20)
        #expect(try cache.hashes(of: file, hasHeader: true).shortHash == "0000000000")
        #expect(try cache.hashes(of: file, hasHeader: false).valuesSHA256 == nil)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 7)], ofItemAtPath: file.path)
        #expect(try cache.hashes(of: file, hasHeader: true) == hashes)
        // Small files are not kept; a file that is damaged is none.
        let small = folder.url.appending(path: "small.json")
        _ = try HashCache(file: small, leastByteCount: 1 << 30).hashes(of: file, hasHeader: true)
        #expect(!FileManager.default.fileExists(atPath: small.path))
        try Data("[".utf8).write(to: kept)
        #expect(try HashCache(file: kept, leastByteCount: 1).hashes(of: file, hasHeader: true) == hashes)
    }

    @Test("What is known is told without the file being read")
    func known() throws {
        let file = try writtenFile()
        let kept = folder.url.appending(path: "known/hashes.json")
        let large = HashCache(file: kept, leastByteCount: 1)
        let small = HashCache(file: folder.url.appending(path: "none.json"), leastByteCount: 1 << 30)
        for cache in [large, small] {
            #expect(cache.known(of: file) == nil)
            let hashes = try cache.hashes(of: file, hasHeader: true)
            #expect(cache.known(of: file) == hashes)
        }
        let hashes = try #require(large.known(of: file))
        #expect(HashCache(file: kept, leastByteCount: 1).known(of: file) == hashes)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 7)], ofItemAtPath: file.path)
        #expect(large.known(of: file) == nil && small.known(of: file) == nil)
        try FileManager.default.removeItem(at: file)
        #expect(large.known(of: file) == nil)
    }

    @Test func picturesSayThem() async throws {
        let family = try TinyFamily("sd1")
        let file = folder.url.appending(path: "tiny.safetensors")
        try family.write(to: file)
        let model = try Model(
            at: file, engine: OpenVINOEngine(threads: 1), precision: .float32,
            vocabulary: TinyFamily.vocabulary)
        let lora = folder.url.appending(path: "soft.safetensors")
        try TinyAdapter("kohya").write(to: lora)
        var request = Request.quick("a cat by sketch", steps: 1)
        request.loras = [LoRA(path: lora.path)]
        request.embeddings = [
            Embedding(path: TinyModel.golden.appending(path: "inversions/sketch.pt").path)
        ]
        let text = try await model.picture(request).metadata.parameters
        let (own, change) = (
            try FileHashes(of: file, hasHeader: true), try FileHashes(of: lora, hasHeader: true)
        )
        #expect(text.contains(", Model hash: \(own.shortHash), Model: tiny,"))
        #expect(text.contains(", Lora hashes: \"soft: \(change.valuesHash)\","))
        #expect(text.contains(", TI hashes: \"sketch: "))
        #expect(try await openModel(at: demoModel).picture(.quick(steps: 1)).metadata.modelHash == nil)
    }
}
