import Foundation
import Testing

@testable import Easel

@Suite("Styles and choices in a request")
struct PromptStyleTests {
    private let table = """
        \u{FEFF}name,prompt,negative_prompt\r
        Oil,"oil painting of {prompt}, thick strokes",photo\r
        Tail,"masterpiece, ""best""\nquality",\r
        #Divider,,\r

        """

    @Test func wordsAreMergedAsInAUTOMATIC1111() throws {
        let styles = try PromptStyles(csv: table, file: "styles.csv")
        #expect(styles.all.map(\.name) == ["Oil", "Tail"])
        var request = Request(prompt: "a cat", negativePrompt: " bad ")
        request.apply(try styles.named("Oil"))
        #expect(request.prompt == "oil painting of a cat, thick strokes")
        #expect(request.negativePrompt == "bad, photo")
        request.apply(try styles.named("Tail"))
        #expect(
            request.prompt == "oil painting of a cat, thick strokes, masterpiece, \"best\"\nquality")
        #expect(request.negativePrompt == "bad, photo")
        request = Request(prompt: "")
        request.apply(PromptStyle(name: "x", prompt: "y"))
        #expect(request.prompt == "y" && request.negativePrompt == "")
    }

    @Test func formerTablesAreRead() throws {
        #expect(
            try PromptStyles(csv: "name,text\na,b\n", file: "f").all == [PromptStyle(name: "a", prompt: "b")])
    }

    @Test func wrongTablesAreRefused() throws {
        for text in ["", "a,b\nc,d\n", "name,prompt\na,\"b\"c\n"] {
            #expect(throws: PromptStyleError.self) { try PromptStyles(csv: text, file: "f.csv") }
        }
        #expect(throws: PromptStyleError.unknown(name: "C", file: "f", known: ["a"])) {
            try PromptStyles(csv: "name,prompt\na,b\n", file: "f").named("C")
        }
    }

    @Test func eachPictureHasItsOwnChoice() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick(
            "a {red|green|blue|white} {cat|dog|cow|pig}", seed: 3, count: 4, batchSize: 2)
        let pictures = try await model.pictures(request)
        #expect(pictures.map(\.index) == [0, 1, 2, 3] && pictures.map(\.seed) == [3, 4, 5, 6])
        let prompts = pictures.map(\.metadata.prompt)
        #expect(Set(prompts).count > 1 && !prompts.contains { $0.contains("{") }, "\(prompts)")
        #expect(pictures[0].metadata.parameters.contains("Template: a {red|green|blue|white} {cat"))

        // The picture alone, of the prompt that was chosen.
        var single = Request.quick(prompts[2], seed: 5)
        #expect(try await model.picture(single).image == pictures[2].image)
        // The same choice for the same seed.
        request.seed = 5
        request.count = 1
        #expect(try await model.picture(request).metadata.prompt == prompts[2])
        // What its record says.
        single = try Request(GenerationRecord(json: pictures[2].record.json))
        let again = try await model.picture(single)
        #expect(again.image == pictures[2].image && again.record == pictures[2].record)

        request.dynamicPrompts = false
        #expect(try await model.picture(request).metadata.prompt.contains("{red|"))
        request.dynamicPrompts = true
        request.promptSyntax = .plain
        #expect(try await model.picture(request).metadata.prompt.contains("{red|"))
    }
}
