import Foundation
import OpenVINOEngine
import Testing

@testable import Easel

@Suite("The size that a model was trained at is known before it is opened")
struct TrainedSizeTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    @Test(arguments: ["sd1", "sd2-velocity", "xl"])
    func ofAFile(_ name: String) throws {
        let family = try TinyFamily(name)
        let file = folder.url.appending(path: "\(name).safetensors")
        try family.write(to: file)
        let size = try Model.trainedSize(at: file)
        let model = try Model(
            at: file, engine: OpenVINOEngine(threads: 1), precision: .float32,
            vocabulary: TinyFamily.vocabulary)
        #expect(size == (model.width, model.height))
    }

    @Test func ofAFolder() throws {
        let demo = TinyModel.golden.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Models/demo")
        #expect(try Model.trainedSize(at: demo) == (128, 128))
        let weights = folder.url.appending(path: "config.json")
        try Data("{}".utf8).write(to: weights)
        #expect(throws: (any Error).self) { try Model.trainedSize(at: weights) }
        #expect(throws: (any Error).self) { try Model.trainedSize(at: folder.url) }
    }
}
