import Checkpoints
import Foundation
import OpenVINOEngine
import Testing

@testable import Easel

/// M39 of what files may be: bytes that are not those that were saved.
@Suite("Checksums of weights")
struct WeightChecksumTests {
    private let folder: ScratchFolder
    private let file: URL

    init() throws {
        folder = try ScratchFolder()
        file = folder.url.appending(path: "model.ckpt")
        try TinyFile(tensors: TinyFamily("sd1").tensors, constants: [:]).writeTorch(to: file)
        try date(1_000_000)
    }

    private func date(_ seconds: Double) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: seconds)], ofItemAtPath: file.path)
    }

    /// Changes the lowest bit of a weight's number, and leaves the file's date.
    private func damage() throws {
        let checkpoint = try Checkpoint(contentsOf: file)
        let handle = try FileHandle(forUpdating: file)
        let place = UInt64(checkpoint.byteCount / 2)
        try handle.seek(toOffset: place)
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: place)
        try handle.write(contentsOf: Data([byte ^ 1]))
        try handle.close()
        try date(1_000_000)
    }

    private func model() throws -> Model {
        try Model(
            at: file, engine: OpenVINOEngine(threads: 1), precision: .float32,
            vocabulary: TinyFamily.vocabulary)
    }

    @Test func noPictureIsMadeOfOtherBytes() async throws {
        _ = try await model().picture(.quick(steps: 1))
        try damage()
        let error = await #expect(throws: TorchError.self) { try await model().picture(.quick(steps: 1)) }
        guard case .checksum(let member, _, _)? = error?.problem else {
            Issue.record("another problem was found")
            return
        }
        #expect(member.hasPrefix("archive/data/"))
        #expect(error?.path == file.path)
    }

    @Test func whatWasComparedIsNotReadAgain() async throws {
        let kept = folder.url.appending(path: "kept.json")
        func checksums(leastByteCount: Int) throws -> WeightChecksums {
            let parts = try ModelParts(ModelComponents(at: file, vocabulary: TinyFamily.vocabulary))
            return WeightChecksums(parts, keptIn: kept, leastByteCount: leastByteCount)
        }
        try await checksums(leastByteCount: .max).validate()
        #expect(!FileManager.default.fileExists(atPath: kept.path))
        try await checksums(leastByteCount: 1).validate()
        try damage()
        // Its date says that it is the file that was compared.
        try await checksums(leastByteCount: 1).validate()
        try date(7)
        await #expect(throws: TorchError.self) { try await checksums(leastByteCount: 1).validate() }
    }
}
