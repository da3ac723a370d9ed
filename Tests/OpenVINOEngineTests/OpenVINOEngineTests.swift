import EngineInterface
import TensorGraph
import Testing

@testable import OpenVINOEngine

struct Scratch {
    @Test func runsOps() async throws {
        let engine = try OpenVINOEngine()
        print(try engine.resolve(.automatic))
        let graph = try Graph.build("g") { builder in
            let x = builder.input("x", [1, 4, 3, 5])
            let scale = builder.constant(HostTensor([1, 2, 3, 4] as [Float], shape: [4]))
            var y = groupNorm(x, groups: 2, epsilon: 1e-5, scale: scale, shift: scale)
            y = silu(y)
            y = upsampleNearest(y, factor: 2)
            y = slice(y, axis: 2, 0..<5)
            let flat = transpose(reshape(y, [1, 4, 50]), [0, 2, 1])
            let n = layerNorm(flat, scale: scale, shift: scale, epsilon: 1e-5)
            let h = transpose(reshape(n, [1, 50, 2, 2]), [0, 2, 1, 3])
            let a = scaledDotProductAttention(queries: h, keys: h, values: h)
            let z = geglu(reshape(transpose(a, [0, 2, 1, 3]), [1, 50, 4]))
            return ["y": y, "a": quickGELU(gelu(a)), "z": softmax(concatenate([z, z], axis: -1))]
        }
        let values = (0..<60).map { Float($0 % 7) - 3 }
        let compiled = try await engine.compile(graph, weights: None(), precision: .float32)
        let out = try await compiled.run(["x": HostTensor(values, shape: [1, 4, 3, 5])])
        print(out["y"]!.floats.prefix(8), out["z"]!.floats.prefix(8), out["a"]!.shape)
    }
}
import Checkpoints
struct None: WeightStorage {
    var names: [String] { [] }
    var origin: String { "" }
    func entry(named name: String) -> WeightEntry? { nil }
    func map(additionalBytes: Int) throws -> MappedWeights {
        nonisolated(unsafe) let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(additionalBytes, 1), alignment: 64)
        return MappedWeights(bytes: memory, additionalOffset: 0, offsets: [:]) { memory.deallocate() }
    }
}
