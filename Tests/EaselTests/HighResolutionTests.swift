import Foundation
import Imaging
import OpenVINOEngine
import Sampling
import Testing

@testable import Easel

@Suite("A second pass makes pictures larger")
struct HighResolutionTests {
    private func request() -> Request {
        var request = Request.quick(steps: 4)
        request.sampler = "dpmpp-2m"
        request.seed = 9
        return request
    }

    @Test(arguments: HighResolution.Upscaler.allCases)
    func bothWays(_ upscaler: HighResolution.Upscaler) async throws {
        let model = try TinyModel.sd1.opened()
        var request = request()
        request.highResolution = HighResolution(scale: 1.5, strength: 0.5, upscaler: upscaler)
        request.count = 2
        let events = try await model.events(request)
        let pictures = events.pictures
        #expect(pictures.map(\.index) == [0, 1] && pictures.map(\.seed) == [9, 10])
        #expect(pictures.allSatisfy { $0.image.width == 96 && $0.image.height == 96 })
        let steps = events.count { if case .step = $0 { true } else { false } }
        #expect(steps == 2 * 4 + 2 * 2, "four steps small, two of four large")
        let name = upscaler == .latent ? "Latent" : "Lanczos"
        #expect(
            pictures[0].metadata.parameters.contains("Size: 64x64,")
                && pictures[0].metadata.parameters.contains(
                    "Denoising strength: 0.5, RNG: CPU, Hires upscale: 1.5, Hires upscaler: \(name)"),
            "\(pictures[0].metadata.parameters)")
        let again = try await model.events(Request(GenerationRecord(json: pictures[1].record.json))).pictures
        #expect(again.map(\.image) == [pictures[1].image])
        // Other programs' words tell of both passes too.
        let told = try #require(GenerationMetadata(parameters: pictures[1].metadata.parameters))
        let read = try Request(told)
        #expect(read.highResolution == request.highResolution && (read.width, read.steps) == (64, 4))
        #expect(told.initStrength == nil)
    }

    @Test func whatTheFirstPassStartedFromIsRecorded() async throws {
        let model = try TinyModel.sd1.opened()
        var request = request()
        request.initImage = Image(width: 64, height: 64, pixels: Array(repeating: 90, count: 3 * 64 * 64))
        request.strength = 0.5
        request.resize = .crop
        request.inpainting = Inpainting(
            mask: Mask(width: 64, height: 64, values: (0..<64 * 64).map { $0 % 64 < 32 ? 255 : 0 }),
            maskBlur: 2)
        request.highResolution = HighResolution(scale: 1.5, strength: 0.75, upscaler: .image)
        let made = try await model.picture(request)
        let record = try GenerationRecord(json: made.record.json)
        #expect(record.strength == 0.5 && record.hasMask)
        var again = try Request(record)
        #expect(again.resize == .crop && again.inpainting?.maskBlur == 2)
        again.initImage = request.initImage
        again.inpainting?.mask = try #require(request.inpainting?.mask)
        #expect(try await model.picture(again).image == made.image)
    }

    @Test func theFirstPassesOwnLevelsAreRecorded() async throws {
        let model = try TinyModel.sd1.opened()
        for given in [true, false] {
            var request = request()
            if given { request.timesteps = [900, 500, 100] } else { request.sigmas = [14, 3, 0.5] }
            request.highResolution = HighResolution(scale: 1.5, strength: 0.5, steps: 4, upscaler: .image)
            let made = try await model.picture(request)
            let again = try Request(GenerationRecord(json: made.record.json))
            #expect(again.timesteps == request.timesteps && again.sigmas == request.sigmas)
            #expect(try await model.picture(again).image == made.image)
        }
    }

    @Test func whatIsWrongWithTheSecondPassIsFoundFirst() throws {
        let model = try TinyModel.sd1.opened()
        var request = request()
        (request.width, request.highResolution) = (512, HighResolution(scale: 8))
        let error = #expect(throws: RequestError.self) { try model.check(request) }
        #expect("\(try #require(error))".contains("4096"))
        // Steps of its own are those that are taken.
        (request.width, request.timesteps) = (64, [800])
        request.highResolution = HighResolution(scale: 2, strength: 0.5, steps: 6)
        #expect(
            try model.secondPass(after: request, HighResolution(scale: 2, strength: 0.5, steps: 6)).1
                .takesSteps)
    }

    @Test func ofAnEditedPictureOrAPartOfOneThereIsNone() async throws {
        let family = try TinyFamily("sd1-editing")
        let folder = try ScratchFolder()
        let file = folder.url.appending(path: "model.safetensors")
        try family.write(to: file)
        let editing = try Model(
            at: file, engine: OpenVINOEngine(threads: 1), precision: .float32,
            vocabulary: TinyFamily.vocabulary)
        var edit = family.request()
        edit.highResolution = HighResolution(scale: 1.5)
        var part = request()
        part.initImage = Image(width: 128, height: 96, pixels: Array(repeating: 90, count: 3 * 128 * 96))
        part.inpainting = Inpainting(
            mask: Mask(width: 128, height: 96, values: (0..<128 * 96).map { $0 % 128 < 32 ? 255 : 0 }),
            onlyMaskedPadding: 8)
        part.highResolution = HighResolution(scale: 1.5)
        let tiny = try TinyModel.sd1.opened()
        for (model, request) in [(editing, edit), (tiny, part)] {
            let error = #expect(throws: RequestError.self) { try model.check(request) }
            let wanted = try #require(error)
            #expect("\(wanted)".contains("a second pass"))
            await #expect(throws: wanted) { try await model.events(request) }
        }
    }

    @Test func whatThePromptHasBecomeStays() throws {
        let model = try TinyModel.sd1.opened()
        func stages(_ prompt: String, _ change: (inout Request) -> Void = { _ in }) throws -> [String] {
            var request = request()
            (request.prompt, request.negativePrompt) = (prompt, prompt)
            change(&request)
            let second = try model.secondPass(after: request, HighResolution(scale: 1.5, strength: 0.5)).1
            #expect(second.prompts.count == 2 && second.prompts[0].stages == second.prompts[1].stages)
            return second.prompts[1].stages.map { "\($0.lastStep) \($0.text)" }
        }
        #expect(try stages("[a cat:a dog:0.5]") == ["4 a dog"])
        #expect(try stages("[a cat:a dog:1.5]") == ["2 a cat", "4 a dog"])
        #expect(try stages("[a cat:a dog:5]") == ["1 a cat", "4 a dog"])
        // Calls of the model, where those count; noise levels that are given are as many steps.
        func countsCalls(_ request: inout Request) {
            request.sampler = "heun"
            request.imitate(.a1111)
        }
        #expect(try stages("[a cat:a dog:9]", countsCalls) == ["1 a cat", "8 a dog"])
        let given = try stages("[a cat:a dog:4]") {
            $0.sampler = "euler"
            ($0.steps, $0.sigmas) = (9, [10, 5, 1, 0])
        }
        #expect(given == ["1 a cat", "3 a dog"])
    }

    @Test func withoutStrengthItIsTheSmallPictureEnlarged() async throws {
        let model = try TinyModel.sd1.opened()
        var request = request()
        let small = try await model.picture(request)
        request.highResolution = HighResolution(scale: 2, strength: 0)
        let large = try await model.picture(request)
        #expect(large.latents == (try small.latents.enlarged(height: 16, width: 16)))
    }

    @Test func latentsAreEnlargedAsPyTorchDoes() throws {
        let latents = try Latents([1, 2, 3, 4], batch: 1, channels: 1, height: 2, width: 2)
        let large = try latents.enlarged(height: 2, width: 4)
        #expect(large.values == [1, 1.25, 1.75, 2, 3, 3.25, 3.75, 4])
        #expect(try latents.enlarged(height: 2, width: 2) == latents)
    }

    @Test func impossibleScalesAreRefusedFirst() async throws {
        let model = try TinyModel.sd1.opened()
        for scale in [1, 0, -2, 9, 40, Double.nan] {
            var request = request()
            request.highResolution = HighResolution(scale: scale)
            await #expect(throws: RequestError.self, "\(scale)") { try await model.events(request) }
        }
    }
}
