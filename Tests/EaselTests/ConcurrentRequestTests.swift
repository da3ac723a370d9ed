import Easel
import Sampling
import Testing

@Suite("Requests to one model do not disturb each other")
struct ConcurrentRequestTests {
    static let requests: [Request] = {
        var wide = Request.quick("a blue circle", seed: 1)
        wide.width = 128
        var tall = Request.quick("the cat sat on the mat", seed: 2)
        tall.height = 96
        var unguided = Request.quick(seed: 3, count: 2, batchSize: 2)
        unguided.guidanceScale = 1
        return [.quick(), wide, tall, unguided, .quick(seed: 4)]
    }()

    static func alone() async throws -> [[Latents]] {
        var all: [[Latents]] = []
        for request in requests {
            all.append(try await TinyModel.sd1.opened().pictures(request).map(\.latents))
        }
        return all
    }

    @Test func oneAfterTheOther() async throws {
        let model = try TinyModel.sd1.opened()
        for (request, latents) in zip(Self.requests, try await Self.alone()) {
            #expect(try await model.pictures(request).map(\.latents) == latents)
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func atTheSameTime() async throws {
        let model = try TinyModel.sd1.opened()
        let wanted = try await Self.alone()
        for _ in 0..<3 {
            try await withThrowingTaskGroup(of: (Int, [GeneratedPicture]).self) { group in
                for (index, request) in Self.requests.enumerated() {
                    group.addTask { (index, try await model.pictures(request)) }
                }
                for try await (index, pictures) in group {
                    #expect(pictures.map(\.latents) == wanted[index], "request \(index)")
                    #expect(
                        pictures.allSatisfy { $0.image.width == Self.requests[index].width })
                }
            }
        }
    }
}
