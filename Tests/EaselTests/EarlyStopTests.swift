import Easel
import Testing

@Suite("Pictures are finished early while they are made")
struct EarlyStopTests {
    /// A request's pictures when the steps of some are stopped.
    private func pictures(
        _ request: Request, stopping extent: EarlyStop.Extent, at picture: Int
    ) async throws -> [GeneratedPicture] {
        let stop = EarlyStop()
        var pictures: [GeneratedPicture] = []
        for try await event in try TinyModel.sd1.opened().generate(request, stop: stop) {
            switch event {
            case .step(let step) where step.picture == picture && step.index == 0: stop.request(extent)
            case .finished(let picture): pictures.append(picture)
            default: break
            }
        }
        #expect(stop.requested == (extent == .request ? .request : nil))
        return pictures
    }

    /// Too many steps to be done before the first is heard of.
    private static let long: Request = {
        var request = Request.quick(steps: 150)
        (request.count, request.seed) = (3, 5)
        return request
    }()

    @Test(.timeLimit(.minutes(10)))
    func theOthersAreTheSame() async throws {
        let made = try await pictures(Self.long, stopping: .batch, at: 1)
        #expect(made.map(\.index) == [0, 1, 2])
        #expect(made.map(\.seed) == [5, 6, 7])
        let taken = made.map(\.record.stepsTaken)
        #expect(taken[0] == nil && taken[2] == nil)
        #expect((1..<150).contains(try #require(taken[1])))
        for index in [1, 2] {
            var alone = Self.long
            (alone.count, alone.seed) = (1, UInt64(5 + index))
            let isSame = try await TinyModel.sd1.opened().picture(alone).image == made[index].image
            #expect(isSame == (index == 2))
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func aBatchIsStoppedWhole() async throws {
        var request = Self.long
        request.batchSize = 2
        let made = try await pictures(request, stopping: .batch, at: 0)
        #expect(made.map { $0.record.stepsTaken == nil } == [false, false, true])
    }

    @Test(.timeLimit(.minutes(10)))
    func afterTheRequestNoneIsBegun() async throws {
        #expect(try await pictures(Self.long, stopping: .request, at: 1).map(\.index) == [0, 1])
        var choices = Self.long
        (choices.prompt, choices.dynamicPrompts) = ("{a|b|c}", true)
        #expect(try await pictures(choices, stopping: .request, at: 1).map(\.index) == [0, 1])
    }

    @Test(.timeLimit(.minutes(10)))
    func aFirstPassThatWasStoppedStaysSmall() async throws {
        var request = Self.long
        request.highResolution = HighResolution(scale: 1.5, strength: 0.5, steps: 1)
        let one = try await pictures(request, stopping: .batch, at: 0)
        #expect(one.map(\.index) == [0, 1, 2])
        let small = one[0].image.width
        #expect(one.map(\.image.width) == [small, small * 3 / 2, small * 3 / 2])
        let all = try await pictures(request, stopping: .request, at: 1)
        #expect(all.map(\.image.width) == [small, small])
    }

    @Test func whatIsRequestedBeforeCountsForTheFirst() async throws {
        let stop = EarlyStop()
        stop.request(.batch)
        var taken: [Int?] = []
        var request = Request.quick(steps: 2)
        request.count = 2
        for try await event in try TinyModel.sd1.opened().generate(request, stop: stop) {
            if case .finished(let picture) = event { taken.append(picture.record.stepsTaken) }
        }
        #expect(taken == [1, nil])
    }
}
