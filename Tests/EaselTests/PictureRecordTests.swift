import Easel
import Foundation
import Imaging
import Testing

@Suite("Files of pictures say how to make them again")
struct PictureRecordTests {
    @Test("to the byte, in every format", arguments: ["png", "jpg", "webp"])
    func recordsMakeThePictureAgain(_ ending: String) async throws {
        let folder = try ScratchFolder()
        let model = try TinyModel.sd1.opened()
        var request = Request.quick("a (red:1.2) apple, \"quoted\", 日本 🍎", steps: 2)
        (request.sampler, request.schedule, request.guidanceRescale) = ("euler-ancestral", "karras", 0.3)
        let picture = try await model.picture(request)
        let file = folder.url.appending(path: "apple.\(ending)")
        try picture.write(to: file.path)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["apple.\(ending)"])
        let notes = try PictureFile(contentsOf: file).notes
        #expect(notes.parameters == picture.metadata.parameters)
        let record = try #require(notes.record)
        let again = try await model.picture(Request(GenerationRecord(json: record)))
        #expect(again.image == picture.image && again.record == picture.record)
    }
}
