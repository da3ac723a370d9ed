import Conditioning
import Sampling
import Testing

@testable import Easel

@Suite("Other programs' rules are followed together")
struct ProfileTests {
    @Test func eachSetsAllOfThem() {
        var request = Request(prompt: "x")
        request.imitate(.a1111)
        #expect((request.randomSource, request.promptSyntax) == (.torchCUDA, .a1111))
        #expect(request.profile.convention == .automatic1111)
        request.imitate(.diffusers)
        #expect((request.randomSource, request.promptSyntax) == (.torchCPU, .plain))
    }

    /// diffusers takes the share of the steps; AUTOMATIC1111 encodes to step int(min(s, 0.999)·n) and takes one more.
    @Test(arguments: [
        (20, 0.75, 5, 4), (20, 1.0, 0, 0), (20, 0.5, 10, 9), (10, 0.0, 10, 9), (30, 0.33, 21, 20),
        (1, 0.5, 1, 0),
    ])
    func stepsOfAStrength(_ steps: Int, _ strength: Double, _ diffusers: Int, _ a1111: Int) {
        #expect(Profile.diffusers.firstStep(steps: steps, strength: strength) == diffusers)
        #expect(Profile.a1111.firstStep(steps: steps, strength: strength) == a1111)
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
