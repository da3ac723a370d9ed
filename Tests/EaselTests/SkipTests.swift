import Easel
import Testing

@Suite("Pictures are left out while they are made")
struct SkipTests {
    /// The indices of a request's pictures when those of some steps are skipped.
    private func pictures(_ request: Request, skippingAt picture: Int) async throws -> [GeneratedPicture] {
        let skip = BatchSkip()
        var pictures: [GeneratedPicture] = []
        for try await event in try TinyModel.sd1.opened().generate(request, skip: skip) {
            switch event {
            case .step(let step) where step.picture == picture && step.index == 0: skip.request()
            case .finished(let picture): pictures.append(picture)
            default: break
            }
        }
        #expect(!skip.isRequested)
        return pictures
    }

    @Test(.timeLimit(.minutes(10)))
    func theOthersAreTheSame() async throws {
        // Too many steps to be done before the first is heard of.
        var request = Request.quick(steps: 400)
        request.count = 3
        request.seed = 5
        let made = try await pictures(request, skippingAt: 1)
        #expect(made.map(\.index) == [0, 2])
        #expect(made.map(\.seed) == [5, 7])
        var alone = request
        (alone.count, alone.seed) = (1, 7)
        let same = try await TinyModel.sd1.opened().picture(alone).image == made[1].image
        #expect(same)
    }

    @Test(.timeLimit(.minutes(10)))
    func aBatchIsSkippedWhole() async throws {
        var request = Request.quick(steps: 400)
        (request.count, request.batchSize) = (3, 2)
        #expect(try await pictures(request, skippingAt: 0).map(\.index) == [2])
        request.highResolution = HighResolution(scale: 1.5, strength: 0.5, steps: 1)
        #expect(try await pictures(request, skippingAt: 0).map(\.index) == [2])
    }

    @Test func whatIsRequestedBeforeCountsForTheFirst() async throws {
        let skip = BatchSkip()
        skip.request()
        var indices: [Int] = []
        var request = Request.quick(steps: 2)
        request.count = 2
        for try await event in try TinyModel.sd1.opened().generate(request, skip: skip) {
            if case .finished(let picture) = event { indices.append(picture.index) }
        }
        #expect(indices == [1])
    }
}
