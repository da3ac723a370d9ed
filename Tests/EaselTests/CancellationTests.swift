import Easel
import Testing

@Suite("Cancelling the task ends the work")
struct CancellationTests {
    @Test(.timeLimit(.minutes(10)))
    func duringDenoising() async throws {
        let model = try TinyModel.sd1.opened()
        let (firstStep, steps) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            var finished = 0
            var told = 0
            do {
                for try await event in model.generate(.quick(steps: 999)) {
                    switch event {
                    case .step:
                        told += 1
                        steps.yield()
                    case .finished: finished += 1
                    default: break
                    }
                }
            } catch is CancellationError {}
            return (finished, told)
        }
        for await _ in firstStep { break }
        task.cancel()
        let (finished, told) = try await task.value
        #expect(finished == 0)
        #expect(told < 999)

        // The model is not the worse for it.
        let picture = try await model.picture(.quick())
        #expect(try await TinyModel.sd1.opened().picture(.quick()).image == picture.image)
    }

    @Test(.timeLimit(.minutes(10)))
    func leavingTheLoopIsEnough() async throws {
        let model = try TinyModel.sd1.opened()
        var large = Request.quick(steps: 999)
        large.width = 1024
        large.height = 1024
        // Finished, it would take longer than the time limit.
        for try await event in model.generate(large) {
            if case .step = event { break }
        }
        #expect(try await model.picture(.quick(steps: 1)).index == 0)
    }
}
