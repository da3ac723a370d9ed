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
    /// The device's memory does not hold what the graph needs: so many bytes, or nil for what its driver needs itself. The
    /// limit is the most bytes that its driver gives in one piece, where that is what they are more than.
    case noDeviceMemory(
        engine: String, device: String, graph: String, byteCount: Int?, limit: Int? = nil)
    /// The device stopped, or did not answer for so long that it must have.
    case deviceLost(engine: String, device: String, graph: String, reason: String)
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
        case .noDeviceMemory(let engine, let device, let graph, let byteCount, let limit):
            "\(engine): \(device) has no \(Self.more(byteCount, limit)) for graph \"\(graph)\". Ask for a smaller picture, "
                + "fewer at once or f16, end other programs that use the GPU, or compute on the CPU (--device cpu)."
        case .deviceLost(let engine, let device, let graph, let reason):
            "\(engine): \(device) was lost while it computed graph \"\(graph)\" (\(reason)). Ask again: the device is "
                + "opened anew. If it happens again, update its driver, or compute on the CPU (--device cpu)."
        case .failed(let engine, let graph, let reason): "\(engine) failed on graph \"\(graph)\": \(reason)"
        }
    }

    /// Rounded up: what a device does not have is never nothing.
    private static func more(_ byteCount: Int?, _ limit: Int?) -> String {
        guard let byteCount else { return "more memory" }
        let size = "\((byteCount + (1 << 20) - 1) >> 20) MiB"
        guard let limit else { return "\(size) more" }
        return "\(size) in one piece (its driver gives \(limit >> 20) MiB at most)"
    }
}
