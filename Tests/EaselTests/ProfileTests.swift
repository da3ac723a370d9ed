import Conditioning
import Sampling
import Testing

@testable import Easel

@Suite("Other programs' rules are followed together")
struct ProfileTests {
    @Test func eachSetsAllOfThem() {
        var request = Request(prompt: "x")
        func expect(
            _ profile: Profile, _ source: RandomSource, _ syntax: PromptSyntax, _ emphasis: Emphasis,
            _ convention: ScheduleConvention, _ stepNoise: StepNoise
        ) {
            request.imitate(profile)
            #expect((request.randomSource, request.promptSyntax) == (source, syntax), "\(profile)")
            #expect(request.effectiveEmphasis == emphasis, "\(profile)")
            #expect(profile.convention == convention && profile.stepNoise == stepNoise, "\(profile)")
        }
        expect(.a1111, .torchCUDA, .a1111, .original, .automatic1111, .brownianTree)
        expect(.comfyui, .torchCPU, .comfyui, .interpolated, .comfyUI, .brownianTree)
        expect(
            .stableDiffusionCpp, .torchCUDA, .stableDiffusionCpp, .original, .stableDiffusionCpp, .sequential)
        expect(.diffusers, .torchCPU, .plain, .original, .diffusers, .sequential)
        #expect(Profile.comfyui.stepSource == .torchCUDA)
        #expect(Profile.comfyui.samplerName("ddim") == "euler" && Profile.a1111.samplerName("ddim") == "ddim")
    }

    /// diffusers takes the share of the steps; AUTOMATIC1111 encodes to step int(min(s, 0.999)·n) and takes one more, and
    /// so does stable-diffusion.cpp; ComfyUI takes all of them, at the end of int(n / s).
    @Test(arguments: [
        (20, 0.75, 5, 4, 6), (20, 1.0, 0, 0, 0), (20, 0.5, 10, 9, 20), (10, 0.0, 10, 9, 10),
        (30, 0.33, 21, 20, 60), (1, 0.5, 1, 0, 1),
    ])
    func stepsOfAStrength(_ steps: Int, _ strength: Double, _ diffusers: Int, _ a1111: Int, _ comfyui: Int) {
        #expect(Profile.diffusers.steps(steps, strength: strength) == (steps, diffusers))
        #expect(Profile.a1111.steps(steps, strength: strength) == (steps, a1111))
        #expect(Profile.stableDiffusionCpp.steps(steps, strength: strength) == (steps, a1111))
        let planned = Profile.comfyui.steps(steps, strength: strength)
        #expect(planned.leftOut == comfyui && (strength == 0 || planned.planned - planned.leftOut == steps))
        for profile in Profile.allCases { #expect(profile.steps(steps, strength: nil) == (steps, 0)) }
    }

    @Test func allStepsAreTakenFromAPictureInComfyUI() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick(steps: 2)
        request.sampler = "euler"
        request.initImage = try await model.picture(.quick()).image
        request.strength = 0.4
        func steps() async throws -> Int {
            try await model.events(request).filter { if case .step = $0 { true } else { false } }.count
        }
        #expect(try await steps() == 0)
        request.imitate(.comfyui)
        #expect(try await steps() == 2)
        request.imitate(.a1111)
        #expect(try await steps() == 1)
        // Of levels that were given, ComfyUI plans no more: the strength's share of them is taken.
        request.imitate(.comfyui)
        request.strength = 0.5
        request.sigmas = [10, 6, 3, 1, 0]
        #expect(try await steps() == 2)
        (request.sigmas, request.timesteps) = (nil, [900, 600, 300, 100])
        #expect(try await steps() == 2)
        request.strength = 0.25
        #expect(try await steps() == 1)
    }

    @Test func brownianPathsMakeOtherPictures() async throws {
        let model = try TinyModel.sd1.opened()
        for sampler in ["dpmpp-sde", "dpmpp-2m-sde", "dpmpp-3m-sde"] {
            var request = Request.quick(steps: 3, count: 2, batchSize: 2)
            request.sampler = sampler
            let sequential = try await model.pictures(request)
            request.stepNoise = .brownianTree
            let path = try await model.pictures(request)
            #expect(path[0].image != sequential[0].image, "\(sampler)")
            // A picture is the same alone, and from its record.
            request.count = 1
            request.seed = path[1].seed
            #expect(try await model.picture(request).image == path[1].image, "\(sampler)")
            let again = try await model.picture(Request(GenerationRecord(json: path[1].record.json)))
            #expect(again.image == path[1].image, "\(sampler)")
        }
    }

    @Test func theyMakeOtherPicturesAndAreRecorded() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick("a (red:1.3) apple", steps: 3)
        request.sampler = "dpmpp-2m"
        request.imitate(.diffusers)
        let first = try await model.picture(request)
        request.imitate(.a1111)
        let second = try await model.picture(request)
        #expect(first.image != second.image)
        let again = try await model.picture(Request(GenerationRecord(json: second.record.json)))
        #expect(again.image == second.image)
    }
}
