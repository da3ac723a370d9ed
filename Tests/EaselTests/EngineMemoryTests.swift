import Checkpoints
import EngineInterface
import Imaging
import OpenVINOEngine
import Synchronization
import TensorGraph
import Testing

@testable import Easel

@Suite("Engines with memory of their own")
struct EngineMemoryTests {
    private func picture(_ engine: EngineWithMemory) async throws -> GeneratedPicture {
        var request = Request.quick(steps: 1)
        (request.width, request.height) = (128, 128)
        return try await Model(at: demoModel, engine: engine, precision: .float32).picture(request)
    }

    /// The fastest mode that fits is taken: in the engine's memory, whatever the machine has.
    @Test func modesAreChosenByTheEnginesMemory() async throws {
        let model = try Model(at: demoModel, engine: OpenVINOEngine(threads: 1), precision: .float32)
        let plan = UNetPlan(batch: 1, passes: 2, tokens: 77, height: 16, width: 16)
        let needed = Dictionary(
            uniqueKeysWithValues: try await model.networks.estimates(plan, encodes: false).map {
                ($0.mode, $0.bytes - MemoryEstimate.process)
            })
        let (balanced, minimal) = (needed[.balanced]!, needed[.minimal]!)
        for (byteCount, mode) in [
            (1 << 50, MemoryMode.fast), (balanced, .balanced), (balanced - 1, .minimal),
        ] {
            let engine = try EngineWithMemory(byteCount: byteCount, streams: true)
            #expect(try await picture(engine).memory == mode)
            // One U-Net, and nothing where all weights have room.
            #expect(engine.streamed == (mode == .minimal ? 1 : 0))
        }
        let error = await #expect(throws: RequestError.self) {
            try await picture(EngineWithMemory(byteCount: minimal - 1, streams: true))
        }
        guard case .memory(128, 128, 1, minimal, minimal - 1) = error else {
            Issue.record("\(error.map(String.init(describing:)) ?? "no error")")
            return
        }
    }

    /// A GPU is one for a model where its pictures fit in one of the modes that are asked for.
    @Test(arguments: [(MemoryMode.automatic, MemoryMode.minimal), (.fast, .fast), (.balanced, .balanced)])
    func aModelFitsWhereItsPicturesDo(_ asked: MemoryMode, _ least: MemoryMode) async throws {
        let model = try Model(at: demoModel, engine: OpenVINOEngine(threads: 1), precision: .float32)
        let plan = UNetPlan(batch: 1, passes: 2, tokens: 77, height: 16, width: 16)
        let needed = try await model.networks.estimates(plan, encodes: false).first { $0.mode == least }!
        for (more, fits) in [(0, true), (-1, false)] {
            let byteCount = needed.bytes - MemoryEstimate.process + more
            let engine = try EngineWithMemory(byteCount: byteCount, streams: true)
            let model = try Model(
                at: demoModel, engine: engine, precision: .float32, memory: MemoryUse(asked))
            #expect(try await model.fitsInMemory() == fits)
        }
    }

    /// Weights that an engine does not bring itself are compiled a part at a time, with the same picture.
    @Test func streamedWeightsAreTheEnginesConcern() async throws {
        var request = Request.quick(steps: 2)
        (request.width, request.height) = (64, 64)
        var pictures: [GeneratedPicture] = []
        for streams in [true, false] {
            let engine = try EngineWithMemory(byteCount: 1 << 50, streams: streams)
            let model = try Model(
                at: demoModel, engine: engine, precision: .float32, memory: MemoryUse(.minimal))
            pictures.append(try await model.picture(request))
            #expect(engine.streamed == (streams ? 1 : 0) && engine.asked > 0)
        }
        #expect(pictures[0].image == pictures[1].image)
    }

    /// What a small picture left ready is not in memory beside the networks of one that needs another mode.
    @Test func aModeBeginsWithoutTheNetworksOfAnother() async throws {
        let model = try Model(at: demoModel, engine: OpenVINOEngine(threads: 1), precision: .float32)
        let plan = UNetPlan(batch: 1, passes: 2, tokens: 77, height: 64, width: 64)
        let needed = try await model.networks.estimates(plan, encodes: false)
            .first { $0.mode == .balanced }!
        let engine = try EngineWithMemory(
            byteCount: needed.bytes - MemoryEstimate.process, streams: true)
        let limited = try Model(at: demoModel, engine: engine, precision: .float32)
        var request = Request.quick(steps: 1)
        request.initImage = Image(width: 64, height: 64, pixels: Array(repeating: 90, count: 3 * 64 * 64))
        request.strength = 1
        #expect(try await limited.picture(request).memory == .fast)
        request.initImage = nil
        (request.width, request.height) = (512, 512)
        #expect(try await limited.picture(request).memory == .balanced)
        #expect(engine.heldAtLastUNet.isDisjoint(with: ["prediction", "moments", "pictures"]))
    }
}

/// OpenVINO as if it computed in so much memory of its own.
private final class EngineWithMemory: Engine {
    let name = "memory of its own"
    let memoryByteCount: Int?
    private let engine: OpenVINOEngine
    private let streams: Bool
    private let counts = Mutex((asked: 0, streamed: 0))
    var asked: Int { counts.withLock { $0.asked } }
    var streamed: Int { counts.withLock { $0.streamed } }

    /// How many networks there are of each output.
    private let held = Mutex<[String: Int]>([:])
    private let last = Mutex<Set<String>>([])
    /// The outputs of the networks that there were when a U-Net was compiled last.
    var heldAtLastUNet: Set<String> { last.withLock { $0 } }

    /// A network, as long as there is one.
    private final class Held: CompiledGraph {
        private let graph: any CompiledGraph
        private let output: String
        private let engine: EngineWithMemory

        init(_ graph: any CompiledGraph, output: String, engine: EngineWithMemory) {
            (self.graph, self.output, self.engine) = (graph, output, engine)
            engine.held.withLock { $0[output, default: 0] += 1 }
        }

        deinit { engine.held.withLock { $0[output, default: 0] -= 1 } }

        func run(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
            try await graph.run(inputs)
        }
    }

    init(byteCount: Int, streams: Bool) throws {
        engine = try OpenVINOEngine(threads: 1)
        memoryByteCount = byteCount
        self.streams = streams
    }

    func resolve(_ requested: Precision) throws -> Precision { try engine.resolve(requested) }

    func compile(_ graph: Graph, weights: any WeightStorage, precision: Precision) async throws
        -> any CompiledGraph
    {
        let output = graph.outputs.first?.name ?? ""
        if output == "prediction" {
            let names = held.withLock { Set($0.filter { $0.value > 0 }.keys) }
            last.withLock { $0 = names }
        }
        return Held(
            try await engine.compile(graph, weights: weights, precision: precision), output: output,
            engine: self)
    }

    func compileStreaming(
        _ graph: Graph, weights: any WeightStorage, precision: Precision, weightCount: Int
    ) async throws -> (any CompiledGraph)? {
        counts.withLock { $0.asked += 1 }
        guard streams else { return nil }
        counts.withLock { $0.streamed += 1 }
        return try await engine.compile(graph, weights: weights, precision: precision)
    }
}
