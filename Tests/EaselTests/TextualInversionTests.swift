import Checkpoints
import Conditioning
import Easel
import Foundation
import OpenVINOEngine
import Testing

@Suite("Textual inversion")
struct TextualInversionTests {
    private let folder: ScratchFolder
    private static let files = TinyModel.golden.appending(path: "inversions")

    init() throws { folder = try ScratchFolder() }

    private func model(_ family: String) throws -> (Model, Request) {
        let family = try TinyFamily(family)
        let file = folder.url.appending(path: "model.safetensors")
        try family.write(to: file)
        let model = try Model(
            at: file, engine: OpenVINOEngine(threads: 1), precision: .float32,
            vocabulary: TinyFamily.vocabulary)
        var request = family.requests[0].request
        request.prompt = "a cat by <sketch> on a table"
        request.promptSyntax = .plain
        return (model, request)
    }

    private func file(_ name: String) -> String { Self.files.appending(path: name).path }

    private func golden(_ name: String) throws -> [Float] {
        let golden = try Checkpoint(contentsOf: Self.files.appending(path: "inversions.safetensors"))
        return try GoldenPipelineTests.floats(name, in: golden)
    }

    @Test func latentsAreDiffusers() async throws {
        let (model, plain) = try model("sd1")
        var request = plain
        request.negativePrompt = "<dot>, blurry"
        let untaught = try await model.picture(request).latents.values
        request.embeddings = [Embedding(path: file("diffusers.bin")), Embedding(path: file("dot.bin"))]
        let wanted = try await model.picture(request).latents.values
        #expect(largestDifference(try golden("sd1"), wanted) <= 2e-3)
        #expect(largestDifference(untaught, wanted) > 0.1)
        // Other programs' files of the same embeddings, whose words are given or are the files' names.
        for name in [
            "sketch.pt:<sketch>", "first.pt:<sketch>", "alone.bin:<sketch>", "trained.safetensors:<sketch>",
        ] {
            request.embeddings[0] = try #require(Embedding(file(name)))
            #expect(try await model.picture(request).latents.values == wanted, "\(name)")
        }
        request.embeddings[0] = Embedding(path: file("sketch.pt"))
        request.prompt = "a cat by sketch on a table"
        #expect(try await model.picture(request).latents.values == wanted)
    }

    @Test func latentsOfTwoTextEncodersAreDiffusers() async throws {
        var (model, request) = try model("xl")
        request.embeddings = [Embedding(path: file("large.safetensors"), word: "<sketch>")]
        #expect(largestDifference(try golden("xl"), try await model.picture(request).latents.values) <= 2e-3)
        request.embeddings = [Embedding(path: file("sketch.pt"))]
        let error = await #expect(throws: TextualInversionError.self) { try await model.picture(request) }
        #expect("\(try #require(error))".contains("another model"))
    }

    @Test func foldersAreLookedAtForWords() async throws {
        var (model, request) = try model("sd1")
        request.promptSyntax = .a1111
        request.prompt = "a cat by (sketch:1.2) on a table"
        request.embeddings = [Embedding(path: file("sketch.pt"))]
        let wanted = try await model.picture(request)
        request.embeddings = []
        request.embeddingFolders = [Self.files]
        #expect(try await model.picture(request).latents.values == wanted.latents.values)
        // Case is of no matter, a part of a word is none.
        request.prompt = "a cat by (SKETCH:1.2) on a table"
        #expect(try await model.picture(request).latents.values == wanted.latents.values)
        request.prompt = "a cat by (sketchy:1.2) on a table"
        let other = try await model.picture(request).latents.values
        request.embeddingFolders = []
        #expect(try await model.picture(request).latents.values == other)
        // The record names them.
        let again = try Request(GenerationRecord(json: wanted.record.json))
        #expect(try await model.picture(again).latents.values == wanted.latents.values)
    }

    @Test func filesInFoldersAreKnownByTheirNames() async throws {
        var (model, request) = try model("sd1")
        let own = folder.url.appending(path: "words")
        try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
        // It calls itself "sketch".
        let copy = own.appending(path: "fine-sketch.pt")
        try FileManager.default.copyItem(at: Self.files.appending(path: "sketch.pt"), to: copy)
        request.prompt = "a sketch by fine-sketch"
        for (syntax, words) in [
            (PromptSyntax.a1111, ["fine-sketch"]), (.stableDiffusionCpp, ["fine-sketch"]),
            (.plain, ["fine-sketch", "sketch"]),
        ] {
            request.promptSyntax = syntax
            request.embeddingFolders = []
            request.embeddings = words.map { Embedding(path: copy.path, word: $0) }
            let wanted = try await model.picture(request).latents.values
            (request.embeddings, request.embeddingFolders) = ([], [own])
            #expect(try await model.picture(request).latents.values == wanted, "\(syntax)")
        }
    }

    @Test func comfyUIMarksThem() async throws {
        var (model, request) = try model("sd1")
        request.imitate(.comfyui)
        request.prompt = "a cat by (sketch:1.2), on a table"
        let text = try await model.picture(request).latents.values
        request.embeddingFolders = [Self.files]
        #expect(try await model.picture(request).latents.values == text)
        request.prompt = "a cat by (embedding:sketch:1.2), on a table"
        let marked = try await model.picture(request).latents.values
        #expect(largestDifference(marked, text) > 0.01)
        request.prompt = "a cat by embedding:sketsh, on a table"
        let error = await #expect(throws: EmbeddingError.self) { try await model.picture(request) }
        #expect(error?.word == "sketsh" && error?.nearest == ["sketch"])
    }

    @Test func filesForOtherModelsAreText() async throws {
        var (model, request) = try model("sd1")
        request.promptSyntax = .a1111
        request.prompt = "a cat by large"
        let text = try await model.picture(request).latents.values
        let own = folder.url.appending(path: "words")
        try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
        try TinyFile(tensors: ["emb_params": [2, 48]], constants: [:])
            .write(to: own.appending(path: "large.safetensors"))
        request.embeddingFolders = [own]
        let events = try await model.events(request)
        #expect(events.warnings.count == 1)
        #expect(try #require(events.pictures.first).latents.values == text)
        // Named by an option, such a file is refused, as is one that has no words.
        request.embeddings = [Embedding(path: own.appending(path: "large.safetensors").path)]
        await #expect(throws: TextualInversionError.self) { try await model.picture(request) }
        request.embeddings = [Embedding(path: file("inversions.safetensors"))]
        await #expect(throws: TextualInversionError.self) { try await model.picture(request) }
    }

    // M54
    @Test(arguments: [("sd1", [64]), ("xl", [64, 128])])
    func bothWidthsAreTold(_ family: String, _ widths: [Int]) async throws {
        var (model, request) = try model(family)
        let before = try await model.picture(request).latents.values
        let file = folder.url.appending(path: "other.safetensors")
        try TinyFile(tensors: ["emb_params": [2, 1024]], constants: [:]).write(to: file)
        request.embeddings = [Embedding(path: file.path, word: "<sketch>")]
        let error = await #expect(throws: TextualInversionError.self) { try await model.picture(request) }
        #expect(error == .wrongWidth(path: file.path, widths: [1024], model: widths))
        let text = "\(try #require(error))"
        #expect(([1024] + widths).allSatisfy { text.contains("\($0)") }, "\(text)")
        // The model is what it was.
        request.embeddings = []
        #expect(try await model.picture(request).latents.values == before)
    }

    @Test func embeddingsStandTogether() async throws {
        // The word would begin in the first chunk and end in the next.
        var (model, request) = try model("sd1")
        request.promptSyntax = .a1111
        request.embeddings = [Embedding(path: file("sketch.pt"))]
        let positions = 77
        let filler = Array(repeating: "a", count: positions - 3).joined(separator: " ")
        request.prompt = filler + " sketch"
        let flowing = try await model.picture(request).latents.values
        request.prompt = filler + " BREAK sketch"
        #expect(try await model.picture(request).latents.values == flowing)
    }
}
