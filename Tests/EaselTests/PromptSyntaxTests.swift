import Checkpoints
import Conditioning
import Foundation
import Imaging
import Sampling
import Testing

@testable import Easel

@Suite("Prompts mean what AUTOMATIC1111's do")
struct PromptSyntaxTests {
    private func embeddings(_ request: Request, at step: Int = 0) async throws -> [Float] {
        let model = try TinyModel.sd1.opened()
        let plan = try GenerationPlan(request, for: model)
        let encoders = try await model.networks.preparedTextEncoders(
            clipSkip: request.clipSkip, hidesTokens: plan.hidesTokens)
        let contexts = BatchContexts([try await model.encode(plan, encoders)], pictures: [1])
        return contexts.inputs(of: contexts.stages(at: step, call: step)).output("context").floats
    }

    @Test func embeddingsEqualTheirDefinition() async throws {
        let folder = TinyModel.golden.appending(path: "prompts")
        let golden = try Checkpoint(contentsOf: folder.appending(path: "tiny-sd1.safetensors"))
        let prompts = try JSONDecoder().decode(
            [String: String].self, from: Data(contentsOf: folder.appending(path: "tiny-sd1.json")))
        #expect(prompts.count == 5)
        for (name, prompt) in prompts {
            let made = try await embeddings(Request(prompt: prompt, guidanceScale: 1))
            let difference = largestDifference(try GoldenPipelineTests.floats(name, in: golden), made)
            #expect(difference < 1e-4, "\(name): differs by \(difference)")
        }
        var request = Request(prompt: try #require(prompts["plain"]), guidanceScale: 1)
        request.clipSkip = 2
        let skipped = largestDifference(
            try GoldenPipelineTests.floats("skip", in: golden), try await embeddings(request))
        #expect(skipped < 1e-4, "CLIP skip: differs by \(skipped)")
    }

    @Test func embeddingsEqualCompels() async throws {
        struct Golden: Decodable { let encoded: [String: String] }
        let folder = TinyModel.golden.appending(path: "prompts")
        let golden = try Checkpoint(contentsOf: folder.appending(path: "compel.safetensors"))
        let prompts = try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: folder.appending(path: "compel.json"))
        ).encoded
        #expect(prompts.count == 9)
        for (name, prompt) in prompts {
            var request = Request(prompt: prompt, guidanceScale: 1)
            request.promptSyntax = .compel
            let difference = largestDifference(
                try GoldenPipelineTests.floats(name, in: golden), try await embeddings(request))
            #expect(difference < 1e-4, "\(name): differs by \(difference)")
        }
    }

    @Test func theShorterPromptIsFilledUpWithTheEmptyOne() async throws {
        let width = 32
        var request = Request(prompt: "a BREAK b BREAK c", negativePrompt: "bad")
        let context = try await embeddings(request)
        #expect(context.count == 2 * 3 * 77 * width)
        request = Request(prompt: "", guidanceScale: 1)
        let empty = try await embeddings(request)
        #expect(Array(context[77 * width..<2 * 77 * width]) == empty)
        #expect(Array(context[2 * 77 * width..<3 * 77 * width]) == empty)
    }

    /// A prompt of some chunks, each but the last of 75 words.
    private func words(_ word: String, chunks: Int) -> String {
        Array(repeating: word, count: 75 * chunks - 70).joined(separator: " ")
    }

    @Test(arguments: [Profile.a1111, .comfyui, .stableDiffusionCpp])
    func promptsOfOtherProgramsLeadAtTheirOwnLength(_ profile: Profile) async throws {
        let chunk = 77 * 32
        var request = Request(prompt: words("a", chunks: 3), negativePrompt: words("b", chunks: 2))
        request.sampler = "euler"
        request.imitate(profile)
        let context = try await embeddings(request)
        #expect(context.count == 2 * 6 * chunk)
        request.guidanceScale = 1
        let prompt = try await embeddings(request)
        #expect(prompt.count == 3 * chunk)
        request.prompt = request.negativePrompt
        let negative = try await embeddings(request)
        #expect(negative.count == 2 * chunk)
        #expect(context == negative + negative + negative + prompt + prompt)
        // Of too many chunks together, the shorter is filled up with the empty prompt.
        (request.prompt, request.negativePrompt) = (words("a", chunks: 7), words("b", chunks: 5))
        request.guidanceScale = 7.5
        #expect(try GenerationPlan(request, for: TinyModel.sd1.opened()).chunkCount == 7)
    }

    @Test func stagesChangeWhenTheySay() async throws {
        let request = Request(prompt: "[a cat:a dog:3] [x|y]", steps: 10, guidanceScale: 1)
        let (cat, dog) = (try await embeddings(request, at: 2), try await embeddings(request, at: 5))
        let texts = try GenerationPlan(request, for: TinyModel.sd1.opened()).prompts[0]
        #expect(
            (0..<7).map { texts.stages[texts.stageIndex(at: $0)].text } == [
                "a cat x", "a cat x", "a cat y", "a cat x", "a dog y", "a dog x", "a dog y",
            ])
        #expect(cat != dog)
        let alone = try await embeddings(Request(prompt: "a dog x", guidanceScale: 1))
        #expect(dog == alone)
    }

    /// With Heun's method AUTOMATIC1111 counts two calls a step, of which the last step makes one.
    @Test func automatic1111CountsTheModelsCalls() async throws {
        let model = try TinyModel.sd1.opened()
        let cases: [(profile: Profile, sampler: String, changes: Bool)] = [
            (.a1111, "heun", true), (.a1111, "euler", false), (.diffusers, "heun", false),
        ]
        for one in cases {
            func picture(_ prompt: String) async throws -> Image {
                var request = Request.quick(prompt, steps: 3)
                request.sampler = one.sampler
                request.imitate(one.profile)
                request.promptSyntax = .a1111
                return try await model.picture(request).image
            }
            let (cat, changed) = (try await picture("a cat"), try await picture("[a cat:a dog:2]"))
            #expect((cat != changed) == one.changes, "\(one.sampler) as \(one.profile)")
            // Half of the six calls, of which five are made; of three steps, 1.
            let half = try await picture("[a cat:a dog:0.5]")
            let call = try await picture(one.changes ? "[a cat:a dog:3]" : "[a cat:a dog:1]")
            #expect(half == call, "\(one.sampler) as \(one.profile)")
        }
    }

    /// How blue the demo model's picture is against red, at its corner.
    private func blueness(
        _ prompt: String, negative: String = "", _ change: (inout Request) -> Void = { _ in }
    )
        async throws -> Int
    {
        let model = try openModel(at: demoModel)
        var request = Request(prompt: prompt, negativePrompt: negative, steps: 8, seed: 11)
        change(&request)
        let corner = DemoModelTests.background(try await model.picture(request))
        return corner[2] - corner[0]
    }

    @Test func weightsStrengthenAndWeaken() async throws {
        let prompts = [
            "a star, red background, (blue background:0.2)", "a star, red background, blue background",
            "a star, red background, (blue background:1.8)",
        ]
        var found: [Int] = []
        for prompt in prompts { found.append(try await blueness(prompt)) }
        #expect(found[0] < found[2], "\(found)")
        let ignored = try await blueness(prompts[2]) { $0.emphasis = .ignore }
        #expect(ignored == found[1], "\(found)")
    }

    @Test func negativePromptsPushAway() async throws {
        let without = try await blueness("a star")
        let away = try await blueness("a star", negative: "blue background")
        let from = try await blueness("a star", negative: "red background")
        #expect(away < from, "\(away), \(without), \(from)")
    }

    @Test func compositionTakesBothParts() async throws {
        let red = try await blueness("a star on a red background")
        let both = try await blueness("a star on a red background AND a star on a blue background :1.5")
        #expect(red < both, "\(red), \(both)")
        let alone = try await blueness("a star on a red background AND a star on a blue background :0")
        #expect(abs(alone - red) <= 1, "a part of weight 0 does nothing: \(alone), \(red)")
    }

    @Test func plainPromptsAreTextOnly() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick("a (red:1.5) apple AND [x:y:1]", steps: 2)
        let read = try await model.picture(request)
        request.promptSyntax = .plain
        #expect(try await model.picture(request).image != read.image)
        let parsed = try ParsedPrompt(
            request.prompt, syntax: .plain, steps: 2, tokenizer: model.parts.tokenizer, length: 77)
        #expect(parsed.subprompts.count == 1 && parsed.subprompts[0].stages.count == 1)
        #expect(parsed.subprompts[0].stages[0].passages[0].chunk.isPlain)
    }

    @Test func clipSkipIsBounded() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick(steps: 1)
        let whole = try await model.picture(request)
        request.clipSkip = 2
        let skipped = try await model.picture(request)
        #expect(skipped.image != whole.image && skipped.metadata.parameters.contains("Clip skip: 2"))
        for skip in [0, -1, 3] {
            request.clipSkip = skip
            await #expect(throws: RequestError.self) { try await model.picture(request) }
        }
    }
}
