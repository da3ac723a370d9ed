import Checkpoints
import TensorGraph

/// Something that computes graphs: a library or a processor.
public protocol Engine: Sendable {
    /// The name that users choose it by, such as `openvino`.
    var name: String { get }

    /// The bytes of memory that networks and their values are held in; nil where it is the machine's.
    var memoryByteCount: Int? { get }

    /// The most bytes that networks and their values have taken so far of memory that is not the process's; nil where it is.
    var peakDeviceMemoryByteCount: Int? { get }

    /// The precision that the engine takes for `requested` on this machine's processor; `automatic` becomes
    /// the fastest one of floating-point numbers that the processor runs natively.
    func resolve(_ requested: Precision) throws -> Precision

    /// Makes a graph ready to run. Weights are read from `weights`, which the result keeps alive as long as
    /// it needs them.
    ///
    /// - Throws: `GraphError` for a graph that does not verify, ``EngineError`` for what the engine cannot do,
    ///   `CheckpointError` where the weights cannot be read.
    func compile(_ graph: Graph, weights: any WeightStorage, precision: Precision) async throws
        -> any CompiledGraph

    /// Makes a graph ready to run whose weights stay in the machine's memory, and come to the engine's own while it runs.
    ///
    /// - Parameter weightCount: How many numbers of weights are in the engine's memory at one time, unless one operation
    ///   needs more.
    /// - Returns: nil where the engine computes in the machine's memory.
    /// - Throws: As ``compile(_:weights:precision:)``.
    func compileStreaming(
        _ graph: Graph, weights: any WeightStorage, precision: Precision, weightCount: Int
    ) async throws -> (any CompiledGraph)?
}

extension Engine {
    public var memoryByteCount: Int? { nil }
    public var peakDeviceMemoryByteCount: Int? { nil }

    public func compileStreaming(
        _ graph: Graph, weights: any WeightStorage, precision: Precision, weightCount: Int
    ) async throws -> (any CompiledGraph)? {
        nil
    }
}

/// A graph that is ready to run, any number of times; runs do not overlap.
public protocol CompiledGraph: Sendable {
    /// Computes the outputs for inputs of the declared names, shapes and types.
    ///
    /// Cancelling the task ends the computation early, with `CancellationError`.
    ///
    /// - Throws: ``EngineError``, `CancellationError`.
    func run(_ inputs: [String: HostTensor]) async throws -> [String: HostTensor]
}

/// The arithmetic that a network is computed in.
public enum Precision: String, Sendable, Hashable, CaseIterable {
    case automatic = "auto"
    case float32 = "f32"
    case bfloat16 = "bf16"
    case float16 = "f16"
    /// Products of integers of 8 bits where the weights have them and the activations their ranges; the rest in the
    /// fastest other precision.
    case int8
}
