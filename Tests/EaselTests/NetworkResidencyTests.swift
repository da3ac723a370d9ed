import Checkpoints
import Easel
import EngineInterface
import OpenVINOEngine
import Synchronization
import TensorGraph
import Testing

@Suite("Networks stay ready as the memory mode says")
struct NetworkResidencyTests {
    /// All of them, the U-Net, or none, and then the U-Net is made ready in each of the two steps.
    @Test(
        "for a second picture",
        arguments: [
            (.fast, []), (.balanced, ["text encoder", "vae decoder"]),
            (.minimal, ["text encoder", "unet", "unet", "vae decoder"]),
        ] as [(MemoryMode, [String])])
    func whatIsCompiledAgain(_ mode: MemoryMode, _ again: [String]) async throws {
        let engine = try CountingEngine()
        let model = try Model(
            at: TinyModel.sd1.folder, engine: engine, precision: .float32, memory: MemoryUse(mode))
        var request = Request.quick(steps: 2)
        request.sampler = "euler"
        let first = try await model.picture(request)
        #expect(Set(engine.takeCompiled()) == ["text encoder", "unet", "vae decoder"])
        let second = try await model.picture(request)
        #expect(engine.takeCompiled() == again)
        #expect(second.image == first.image && second.memory == mode)
    }
}

/// OpenVINO that keeps the names of the graphs that it compiles.
private final class CountingEngine: Engine {
    let name = "counting"
    private let engine: OpenVINOEngine
    private let compiled = Mutex<[String]>([])

    init() throws { engine = try OpenVINOEngine(threads: 1) }

    /// The names since this was last asked, sorted.
    func takeCompiled() -> [String] {
        compiled.withLock { names in
            defer { names = [] }
            return names.sorted()
        }
    }

    func resolve(_ requested: Precision) throws -> Precision { try engine.resolve(requested) }

    func compile(_ graph: Graph, weights: any WeightStorage, precision: Precision) async throws
        -> any CompiledGraph
    {
        compiled.withLock { $0.append(graph.name) }
        return try await engine.compile(graph, weights: weights, precision: precision)
    }
}
