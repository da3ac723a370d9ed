import Checkpoints
import Easel
import EngineInterface
import OpenVINOEngine
import Synchronization
import TensorGraph
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

    /// A stream ends at once where its task is cancelled, whatever becomes of the work.
    @Test("The network's run ends too", .timeLimit(.minutes(1)))
    func theNetworksRunEnds() async throws {
        let engine = try EndlessEngine()
        let model = try Model(at: TinyModel.sd1.folder, engine: engine, precision: .float32)
        let reader = Task { for try await _ in model.generate(.quick()) {} }
        await engine.waitForRun()
        reader.cancel()
        await engine.waitForCancellation()
        try await reader.value
    }

    @Test("That of a batch ends with the last who waits for it", .timeLimit(.minutes(1)))
    func theBatchsRunEndsWithTheLast() async throws {
        let engine = try EndlessEngine()
        let model = try Model(at: TinyModel.sd1.folder, engine: engine, precision: .float32)
        let readers = model.generate(batch: [.quick(seed: 1), .quick(seed: 2)]).map { stream in
            Task { for try await _ in stream {} }
        }
        await engine.waitForRun()
        for reader in readers {
            #expect(!engine.isCancelled)
            reader.cancel()
            try await reader.value
        }
        await engine.waitForCancellation()
    }
}

/// OpenVINO, but that a run of the U-Net lasts until its task is cancelled.
private final class EndlessEngine: Engine {
    let name = "endless"
    private let engine: OpenVINOEngine
    private let graph = EndlessGraph()
    var isCancelled: Bool { graph.wasCancelled.withLock { $0 } }

    init() throws { engine = try OpenVINOEngine(threads: 1) }

    func resolve(_ requested: Precision) throws -> Precision { try engine.resolve(requested) }

    func compile(_ graph: Graph, weights: any WeightStorage, precision: Precision) async throws
        -> any CompiledGraph
    {
        let compiled = try await engine.compile(graph, weights: weights, precision: precision)
        return graph.name == "unet" ? self.graph : compiled
    }

    /// Waits until a run of the U-Net has begun.
    func waitForRun() async { for await _ in graph.beginning.stream { break } }

    /// Waits until the task of a run was cancelled.
    func waitForCancellation() async { for await _ in graph.cancellation.stream { break } }
}

private final class EndlessGraph: CompiledGraph {
    let beginning = AsyncStream.makeStream(of: Void.self)
    let cancellation = AsyncStream.makeStream(of: Void.self)
    let wasCancelled = Mutex(false)

    func run(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
        beginning.continuation.yield()
        do {
            while true { try await Task.sleep(for: .seconds(60)) }
        } catch {
            wasCancelled.withLock { $0 = true }
            cancellation.continuation.yield()
            throw error
        }
    }
}
