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
            throws: GenerationError.notFinite(
                network: "VAE decoder", model: copy.folder.lastPathComponent, precision: .float32)
        ) {
            try await model.events(.quick())
        }
        let texts = [Precision.float32, .float16].map {
            GenerationError.notFinite(network: "VAE decoder", model: "a", precision: $0).description
        }
        #expect(!texts[0].contains("--precision") && texts[1].contains("--precision f32"))
    }

    /// What is told of a request until it ends, with an error too.
    private func warnings(_ model: Model) async throws -> [Easel.Warning] {
        var events: [GenerationEvent] = []
        do {
            for try await event in model.generate(.quick(steps: 1)) { events.append(event) }
        } catch is SamplingError {} catch is GenerationError {}
        return events.warnings
    }

    @Test(arguments: [Precision.float32, .int8]) func oneTensorIsNamed(_ precision: Precision) async throws {
        let engine = try OpenVINOEngine(threads: 1)
        guard (try? engine.resolve(precision)) != nil else { return }
        let copy = try ModelCopy(of: .sd1)
        try copy.set("conv_in.weight", in: unetWeights, to: .nan)
        try copy.set("decoder.conv_out.weight", in: autoencoderWeights, to: .infinity)
        let model = try Model(at: copy.folder, engine: engine, precision: precision)
        #expect(
            try await warnings(model)
                == [.notFiniteWeights(file: copy.file(unetWeights).path, tensor: "conv_in.weight")])
    }

    /// A single file's tensor, by the file's own name; what converts it tells of it too.
    @Test func filesHaveTheirOwnNames() async throws {
        let folder = try ScratchFolder()
        let (family, file) = (try TinyFamily("sd1"), folder.url.appending(path: "a.safetensors"))
        let name = "model.diffusion_model.input_blocks.1.0.in_layers.2.weight"
        let shape = try #require(family.tensors[name])
        var values = TinyFile.values(of: name, shape: shape)
        values[7] = .nan
        try TinyFile(tensors: family.tensors, constants: [:], given: [name: values]).write(to: file)
        let model = try Model(
            at: file, engine: OpenVINOEngine(threads: 1), precision: .float32,
            vocabulary: TinyFamily.vocabulary)
        let wanted = Easel.Warning.notFiniteWeights(file: file.path, tensor: name)
        #expect(try await warnings(model) == [wanted])
        #expect(try ModelConversion(of: file, vocabulary: TinyFamily.vocabulary).damage() == wanted)
        try family.write(to: file)
        #expect(try ModelConversion(of: file, vocabulary: TinyFamily.vocabulary).damage() == nil)
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
