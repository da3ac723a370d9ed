import TensorGraph

/// Why an engine could not compute.
public enum EngineError: Error, Sendable, CustomStringConvertible {
    /// The engine's library is not on this machine.
    case unavailable(engine: String, reason: String, remedy: String)
    /// The processor or the library has no such precision.
    case unsupportedPrecision(Precision, engine: String, supported: [Precision])
    /// An input is missing, has another shape or type, or is not one of the graph's.
    case inputMismatch(graph: String, input: String, expected: String, actual: String)
    /// The system gave no memory.
    case noMemory(engine: String, graph: String)
    /// The engine's library refused or failed.
    case failed(engine: String, graph: String, reason: String)

    public var description: String {
        switch self {
        case .unavailable(let engine, let reason, let remedy):
            "the engine \(engine) is not available: \(reason). \(remedy)"
        case .unsupportedPrecision(let precision, let engine, let supported):
            "the engine \(engine) cannot compute in \(precision.rawValue) on this machine; it has "
                + supported.map(\.rawValue).joined(separator: ", ")
        case .inputMismatch(let graph, let input, let expected, let actual):
            "graph \"\(graph)\", input \"\(input)\": expected \(expected), got \(actual)"
        case .noMemory(let engine, let graph):
            "\(engine) got no memory for graph \"\(graph)\": make a smaller picture, or end other programs"
        case .failed(let engine, let graph, let reason): "\(engine) failed on graph \"\(graph)\": \(reason)"
        }
    }
}
