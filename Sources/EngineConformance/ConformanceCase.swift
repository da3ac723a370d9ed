import EngineInterface
import TensorGraph

/// A small graph with weights and inputs, on which engines must agree.
public struct ConformanceCase: Sendable {
    public let name: String
    public let graph: Graph
    public let weights: InMemoryWeights
    public let inputs: [String: HostTensor]

    /// Builds the case; weights and inputs are filled with numbers that follow from its name.
    ///
    /// - Parameters:
    ///   - weights: The shapes and stored types of the weights that the graph declares.
    ///   - magnitude: Inputs lie between minus this and this.
    ///   - rows: `int32` inputs lie in 0..<rows.
    ///   - describe: Builds the graph.
    public init(
        _ name: String, weights shapes: KeyValuePairs<String, (Shape, ElementType)> = [:],
        magnitude: Float = 2,
        rows: Int32 = 1, _ describe: (GraphBuilder) -> KeyValuePairs<String, Tensor>
    ) throws {
        var random = SplitMix64(name)
        var weights = InMemoryWeights()
        for (weight, (shape, type)) in shapes {
            weights = weights.adding(
                weight, shape, random.floats(shape.count, magnitude: 1), storedAs: type)
        }
        self.name = name
        self.weights = weights
        graph = try Graph.build(name, weights: weights, describe)
        var inputs: [String: HostTensor] = [:]
        for (input, type) in graph.inputs {
            inputs[input] =
                type.elementType == .int32
                ? HostTensor(
                    (0..<type.shape.count).map { _ in Int32.random(in: 0..<rows, using: &random) },
                    shape: type.shape)
                : HostTensor(random.floats(type.shape.count, magnitude: magnitude), shape: type.shape)
        }
        self.inputs = inputs
    }

    private init(_ one: ConformanceCase, inputs: [String: HostTensor]) {
        name = one.name
        graph = one.graph
        weights = one.weights
        self.inputs = inputs
    }

    /// The case with inputs that half precision holds, where it is that: the sine of a large number, or which of two numbers
    /// is the greater, is not what an engine may be blamed for when it is given others.
    func rounded(to precision: Precision) -> ConformanceCase {
        guard precision == .float16 else { return self }
        return ConformanceCase(
            self,
            inputs: inputs.mapValues { tensor in
                guard tensor.elementType == .float32 else { return tensor }
                // To 11 bits, by Veltkamp's splitting.
                return HostTensor(
                    tensor.floats.map { value in
                        let scaled = value * 8193
                        return scaled - (scaled - value)
                    }, shape: tensor.shape)
            })
    }
}

/// A small generator of numbers that are the same everywhere (Steele, Lea and Flood 2014).
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    /// Seeds with a text's bytes, by the hash FNV-1a.
    public init(_ text: String) {
        state = text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func floats(_ count: Int, magnitude: Float) -> [Float] {
        (0..<count).map { _ in Float.random(in: -magnitude...magnitude, using: &self) }
    }
}
