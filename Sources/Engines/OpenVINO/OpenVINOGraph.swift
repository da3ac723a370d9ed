import Checkpoints
import Dispatch
import EngineInterface
import TensorGraph

/// A compiled graph: an actor on a queue of its own, since the library's calls block for seconds.
actor OpenVINOGraph: CompiledGraph {
    nonisolated let unownedExecutor: UnownedSerialExecutor
    private let executor: QueueExecutor
    private let graph: Graph
    private let outputs: [TensorType]
    /// Kept because the compiled model may read constants in place.
    private let weights: MappedWeights
    private let request: OpenVINOLibrary.InferenceRequest

    init(
        _ graph: Graph, weights: any WeightStorage, library: OpenVINOLibrary, device: String,
        precision: Precision, threads: Int?, forms: ConvolutionForms, halvesIntegers: Bool,
        flashAttention: FlashAttention?
    ) async throws {
        executor = QueueExecutor(label: "easel.openvino.\(graph.name)")
        unownedExecutor = executor.asUnownedSerialExecutor()
        self.graph = graph
        outputs = graph.computedOutputs.map { graph.nodes[$0.node].type }
        try graph.verify()
        let representation = try Lowering(
            graph, forms: forms, keepsOrderOfSums: precision == .float32, halvesIntegers: halvesIntegers,
            flashAttention: flashAttention
        ).representation
        let derivedOffset = (representation.constants.count + 63) & ~63
        let mapped = try weights.map(
            Set(graph.weights.map(\.name)), additionalBytes: derivedOffset + representation.derivedByteCount)
        mapped.bytes[mapped.additionalOffset...].copyBytes(from: representation.constants)
        let xml = try representation.xml { place in
            switch place {
            case .constant(let offset): return mapped.additionalOffset + offset
            case .derived(let offset): return mapped.additionalOffset + derivedOffset + offset
            case .weight(let name, let byteOffset):
                guard let offset = mapped.offset(of: name) else {
                    throw EngineError.failed(
                        engine: "openvino", graph: graph.name, reason: "the weights have no \"\(name)\"")
                }
                return offset + byteOffset
            }
        }
        self.weights = mapped
        request = try await executor.run {
            let offset = mapped.additionalOffset + derivedOffset
            mapped.derive(representation.derivedKernels, of: weights, at: offset)
            mapped.widen(representation.widenedWeights, of: weights, at: offset)
            return try mapped.releasingFilePages {
                try library.compile(
                    xml, weights: mapped.bytes, device: device, precision: precision, threads: threads,
                    graph: graph.name)
            }
        }
        try mapped.validate()
    }

    func run(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
        try graph.check(inputs)
        let ordered = graph.inputs.compactMap { inputs[$0.name] }
        let results = try request.run(ordered, outputs: outputs) { Task.isCancelled }
        var values = Dictionary(zip(graph.computedOutputs.map(\.name), results)) { first, _ in first }
        for output in graph.outputs where values[output.name] == nil {
            if case .primitive(.input(let name)) = graph.nodes[output.node].operation {
                values[output.name] = inputs[name]
            }
        }
        return values
    }
}

extension MappedWeights {
    /// Computes kernels into the additional memory, each on a thread of its own.
    fileprivate func derive(_ kernels: [DerivedKernel], of weights: any WeightStorage, at offset: Int) {
        DispatchQueue.concurrentPerform(iterations: kernels.count) { index in
            let kernel = kernels[index]
            let start = offset + kernel.offset
            kernel.compute(into: .init(rebasing: bytes[start..<start + kernel.byteCount])) {
                name, first, values in
                guard let entry = weights.entry(named: name) else { return }
                readFloats(of: name, entry, from: first, into: values)
            }
        }
    }
}

extension MappedWeights {
    /// Writes weights as `float32` into the additional memory.
    fileprivate func widen(
        _ widened: [(name: String, shape: Shape, offset: Int)], of weights: any WeightStorage, at offset: Int
    ) {
        for (name, shape, start) in widened {
            guard let entry = weights.entry(named: name) else { continue }
            let values = UnsafeMutableRawBufferPointer(rebasing: bytes[(offset + start)...])
                .bindMemory(to: Float.self)
            readFloats(of: name, entry, from: 0, into: .init(rebasing: values[..<shape.count]))
        }
    }
}
