import Checkpoints
import EngineInterface
import TensorGraph

/// Computes graphs with OpenVINO: on x86 and ARM processors, Intel's GPUs and its NPUs.
///
/// The graph is written as OpenVINO's intermediate representation in memory, whose constants point into the
/// mapped checkpoint.
public struct OpenVINOEngine: Engine {
    public let name = "openvino"
    private let device: String
    private let threads: Int?
    private let library: OpenVINOLibrary

    /// Opens OpenVINO's library.
    ///
    /// - Parameters:
    ///   - device: OpenVINO's name of the device, such as `CPU` or `GPU`.
    ///   - threads: How many threads compute; nil leaves it to the library, which takes one a core.
    /// - Throws: ``EngineError/unavailable(engine:reason:remedy:)`` where the library is not on this machine.
    public init(device: String = "CPU", threads: Int? = nil) throws {
        self.device = device
        self.threads = threads
        library = try OpenVINOLibrary.shared.get()
    }

    public func resolve(_ requested: Precision) throws -> Precision {
        let supported = Precision.allCases.filter {
            $0 != .automatic && library.hasNative($0, device: device)
        }
        guard requested != .automatic else {
            return supported.first { $0 != .float32 } ?? .float32
        }
        guard supported.contains(requested) else {
            throw EngineError.unsupportedPrecision(requested, engine: name, supported: supported)
        }
        return requested
    }

    public func compile(_ graph: Graph, weights: any WeightStorage, precision: Precision) async throws
        -> any CompiledGraph
    {
        let precision = try resolve(precision)
        return try await OpenVINOGraph(
            graph, weights: weights, library: library, device: device, precision: precision, threads: threads)
    }
}
