import Checkpoints
import EngineInterface
import TensorGraph

/// How many operations a second an engine reaches at a precision: in a chain of products of large matrices, which has them
/// near the processor's peak and its memory out of the way.
///
/// - Parameter seconds: How long it runs at least.
/// - Returns: Multiplications and additions in a second, in the fastest of some runs.
/// - Throws: `EngineError`.
func arithmeticPeak(of engine: any Engine, _ precision: Precision, seconds: Double = 2) async throws -> Double
{
    let (rows, width, length) = (1024, 1024, 16)
    var weights: any WeightStorage = SquareMatrix(width: width)
    if precision == .int8 {
        let ranges = ActivationRanges([SquareMatrix.layer: .init(lowest: -3, highest: 3)])
        weights = QuantizedWeights(weights, layers: [SquareMatrix.layer], ranges: ranges)
    }
    let graph = try Graph.build("products of matrices", weights: weights) { builder in
        var x = builder.input("x", [rows, width])
        let layer = builder.weights[SquareMatrix.layer]
        for _ in 0..<length {
            let matrix = layer.tensor("weight", [width, width])
            x = matrixMultiply(layer.quantized(x), matrix, transposesRight: true)
        }
        return ["y": x]
    }
    let compiled = try await engine.compile(graph, weights: weights, precision: precision)
    let input = HostTensor(
        (0..<rows * width).map { Float(($0 &* 40_503) % 2001) / 1000 - 1 }, shape: [rows, width])
    _ = try await compiled.run(["x": input])
    var (least, sum) = (Double.infinity, 0.0)
    while sum < seconds {
        let start = ContinuousClock.now
        _ = try await compiled.run(["x": input])
        let time = start.duration(to: .now) / .seconds(1)
        (least, sum) = (min(least, time), sum + time)
    }
    return Double(graph.arithmeticCount) / least
}

/// One matrix of numbers in memory, which leaves vectors about as long as they are.
private struct SquareMatrix: WeightStorage {
    static let layer = "product"
    let width: Int

    var origin: String { "memory" }
    var names: [String] { [Self.layer + ".weight"] }

    func entry(named name: String) -> WeightEntry? {
        name == names[0] ? WeightEntry(shape: [width, width], elementType: .float32) : nil
    }

    func map(_ names: Set<String>, additionalBytes: Int) throws -> MappedWeights {
        let byteCount = 4 * width * width
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: byteCount + additionalBytes, alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        let scale = (3 / Float(width)).squareRoot()
        let values = bytes[..<byteCount].bindMemory(to: Float.self)
        for index in values.indices { values[index] = scale * (Float((index &* 48_271) % 2003) / 1001 - 1) }
        let address = UInt(bitPattern: bytes.baseAddress)
        return MappedWeights(
            bytes: bytes, additionalOffset: byteCount, offsets: [self.names[0]: 0],
            release: { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() })
    }
}
