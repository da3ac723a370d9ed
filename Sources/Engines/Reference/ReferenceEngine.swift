import Checkpoints
import EngineInterface
import TensorGraph

/// Every operation in plain loops: the meaning that other engines are held to, not a way to make pictures.
///
/// Values are `float32`. Sums are added up in double precision and rounded once, so that what an engine is
/// compared with is nearer to the exact value than any order of `float32` additions.
public struct ReferenceEngine: Engine {
    public let name = "reference"
    public init() {}

    public func resolve(_ requested: Precision) throws -> Precision {
        guard requested == .automatic || requested == .float32 else {
            throw EngineError.unsupportedPrecision(requested, engine: name, supported: [.float32])
        }
        return .float32
    }

    public func compile(_ graph: Graph, weights: any WeightStorage, precision: Precision) async throws
        -> any CompiledGraph
    {
        _ = try resolve(precision)
        try graph.verify()
        return try ReferenceGraph(graph.decomposed(), weights: weights)
    }
}

/// A graph of primitives, with the values of its weights.
struct ReferenceGraph: CompiledGraph {
    private let graph: Graph
    private let weights: [String: HostTensor]
    /// For each node, the index of the last node that reads it; its value is dropped behind that.
    private let lastUse: [Int]

    init(_ graph: Graph, weights: any WeightStorage) throws {
        self.graph = graph
        let mapped = try weights.map(Set(graph.weights.map(\.name)), additionalBytes: 0)
        var values: [String: HostTensor] = [:]
        for (name, type) in graph.weights {
            guard let entry = weights.entry(named: name), let floats = mapped.floats(of: name, entry) else {
                throw EngineError.failed(
                    engine: "reference", graph: graph.name, reason: "the weights have no \"\(name)\"")
            }
            values[name] = HostTensor(floats, shape: type.shape)
        }
        try mapped.validate()
        self.weights = values
        var lastUse = Array(graph.nodes.indices)
        for (index, node) in graph.nodes.enumerated() {
            for input in node.inputs { lastUse[input] = index }
        }
        for output in graph.outputs { lastUse[output.node] = graph.nodes.count }
        self.lastUse = lastUse
    }

    func run(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor] {
        try graph.check(inputs)
        var values = [HostTensor?](repeating: nil, count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            try Task.checkCancellation()
            let operands = node.inputs.compactMap { values[$0] }
            values[index] = try value(of: node, operands, inputs)
            for input in node.inputs where lastUse[input] == index { values[input] = nil }
        }
        return Dictionary(
            graph.outputs.compactMap { output in values[output.node].map { (output.name, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    private func value(
        of node: Graph.Node, _ operands: [HostTensor], _ inputs: [String: HostTensor]
    ) throws -> HostTensor {
        guard case .primitive(let primitive) = node.operation else {
            throw failure("\(node.operation.name) was not decomposed")
        }
        let shape = node.type.shape
        switch primitive {
        case .input(let name):
            guard let value = inputs[name] else { throw failure("no input \"\(name)\"") }
            return value
        case .weight(let name, _):
            guard let value = weights[name] else { throw failure("no weight \"\(name)\"") }
            return value
        case .constant(let value): return value
        case .unary(let unary): return elementwise(unary, operands[0])
        case .binary(let binary): return elementwise(binary, operands[0], operands[1], gives: shape)
        case .softmax(let axis): return softmax(operands[0], axis: axis)
        case .reduce(let reduction): return reduce(operands[0], reduction, gives: shape)
        case .matrixMultiply(let product): return multiply(operands[0], operands[1], product, gives: shape)
        case .convolution(let convolution):
            return convolve(operands[0], operands[1], convolution, gives: shape)
        case .upsampleNearest(let factor): return upsample(operands[0], factor: factor, gives: shape)
        case .gather:
            return try gather(operands[0], operands[1], gives: shape) { row, rows in
                failure("gathers row \(row) of a table of \(rows)")
            }
        case .scatter(let kind):
            return try scatter(operands[2], operands[1], operands[0], kind) { row, rows in
                failure("scatters to row \(row) of a table of \(rows)")
            }
        case .topIndices: return topIndices(operands[0], gives: shape)
        case .reshape: return operands[0].reshaped(shape)
        case .transpose(let permutation): return transpose(operands[0], permutation, gives: shape)
        case .concatenate(let axis): return concatenate(operands, axis: axis, gives: shape)
        case .slice(let slice): return cut(operands[0], slice, gives: shape)
        }
    }

    private func failure(_ reason: String) -> EngineError {
        .failed(engine: "reference", graph: graph.name, reason: reason)
    }
}
