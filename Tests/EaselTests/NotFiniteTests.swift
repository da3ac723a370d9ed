import Checkpoints
import Easel
import EngineInterface
import OpenVINOEngine
import Sampling
import Synchronization
import TensorGraph
import Testing

@Suite("Values that are not numbers end the work, or are computed again")
struct NotFiniteTests {
    @Test func inTheUNet() async throws {
        let copy = try ModelCopy(of: .sd1)
        try copy.set("conv_in.weight", in: unetWeights, to: .nan)
        let model = try openModel(at: copy.folder)
        let error = await #expect(throws: SamplingError.self) { try await model.events(.quick()) }
        guard case .notFinite(let step, let count, _, _, let source)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect((step, count, source) == (0, 4, .modelOutput))
        #expect("\(error!)".contains("step 1 of 4"))
    }

    @Test func inTheDecoder() async throws {
        let copy = try ModelCopy(of: .sd1)
        try copy.set("decoder.conv_out.weight", in: autoencoderWeights, to: .nan)
        let model = try openModel(at: copy.folder)
        await #expect(
            throws: GenerationError.notFinite(network: "VAE decoder", model: copy.folder.lastPathComponent)
        ) {
            try await model.events(.quick())
        }
    }

    @Test func aDecoderThatOverflowsRunsInFullPrecision() async throws {
        let engine = try OverflowingEngine()
        let model = try Model(at: TinyModel.sd1.folder, engine: engine)
        #expect(model.precision == .float16)
        let wanted = try await TinyModel.sd1.opened().pictures(.quick(count: 2))
        for _ in 0..<2 {
            let events = try await model.events(.quick(count: 2))
            #expect(events.warnings == [.decodedInFullPrecision, .decodedInFullPrecision])
            #expect(events.pictures.map(\.image) == wanted.map(\.image))
        }
        #expect(Set(engine.decoderPrecisions.all) == [.float16, .float32])
    }
}

/// OpenVINO in f32 that says it computes in f16, in which each decoder overflows.
private struct OverflowingEngine: Engine {
    final class Log: Sendable {
        private let precisions = Mutex<[Precision]>([])
        var all: [Precision] { precisions.withLock { $0 } }
        func add(_ precision: Precision) { precisions.withLock { $0.append(precision) } }
    }

    struct Overflowing: CompiledGraph {
        let graph: any CompiledGraph
        func run(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
            try await graph.run(inputs).mapValues { output in
                var values = output.floats
                values[values.count / 2] = .nan
                return HostTensor(values, shape: output.shape)
            }
        }
    }

    let name = "overflowing"
    let decoderPrecisions = Log()
    private let engine: OpenVINOEngine

    init() throws { engine = try OpenVINOEngine(threads: 1) }

    func resolve(_ requested: Precision) -> Precision { requested == .automatic ? .float16 : requested }

    func compile(_ graph: Graph, weights: any WeightStorage, precision: Precision) async throws
        -> any CompiledGraph
    {
        let compiled = try await engine.compile(graph, weights: weights, precision: .float32)
        guard graph.outputs.contains(where: { $0.name == "pictures" }) else { return compiled }
        decoderPrecisions.add(precision)
        return precision == .float16 ? Overflowing(graph: compiled) : compiled
    }
}
