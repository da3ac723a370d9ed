import COpenVINOLoader
import Checkpoints
import EngineInterface
import Foundation
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
    /// The forms of convolutions, where they are not left to the processor and the precision.
    private let forms: ConvolutionForms?
    /// How many keys are attended to by Easel's own operation, where that is not left to what was measured.
    private let fewestFlashKeys: Int?

    /// Opens OpenVINO's library.
    ///
    /// - Parameters:
    ///   - device: OpenVINO's name of the device, such as `CPU` or `GPU`.
    ///   - threads: How many threads of the CPU compute; nil leaves it to the library, which takes one a core.
    /// - Throws: ``EngineError/unavailable(engine:reason:remedy:)`` where the library is not on this machine.
    public init(device: String = "CPU", threads: Int? = nil) throws {
        try self.init(device: device, threads: threads, forms: nil)
    }

    init(
        device: String = "CPU", threads: Int? = nil, forms: ConvolutionForms?, fewestFlashKeys: Int? = nil
    ) throws {
        self.device = device
        self.fewestFlashKeys = fewestFlashKeys
        self.threads = threads
        self.forms = forms
        library = try OpenVINOLibrary.shared.get()
    }

    public func resolve(_ requested: Precision) throws -> Precision {
        let supported = Precision.allCases.filter {
            $0 != .automatic && library.hasNative($0, device: device)
        }
        guard requested != .automatic else {
            return supported.first { $0 != .float32 && $0 != .int8 } ?? .float32
        }
        guard supported.contains(requested) else {
            throw EngineError.unsupportedPrecision(requested, engine: name, supported: supported)
        }
        return requested
    }

    public func compile(_ graph: Graph, weights: any WeightStorage, precision: Precision) async throws
        -> any CompiledGraph
    {
        let requested = try resolve(precision)
        // What is to be computed with integers, the graph says; but for attention, whose ranges are seen as it runs.
        let precision = requested == .int8 ? try resolve(.automatic) : requested
        return try await OpenVINOGraph(
            graph, weights: weights, library: library, device: device, precision: precision, threads: threads,
            forms: forms ?? defaultForms(precision), halvesIntegers: halvesIntegers,
            flashAttention: flashAttention(
                precision, integers: requested == .int8))
    }

    /// Whether the processor has no instruction that adds up products of integers of 8 bits exactly (VNNI).
    var halvesIntegers: Bool { device == "CPU" && !easel_processor_sums_integers() }

    func flashAttention(_ precision: Precision, integers: Bool = false) -> FlashAttention? {
        guard device == "CPU", precision == .bfloat16, library.hasOwnOperations,
            library.hasNative(precision, device: device)
        else { return nil }
        var flash = FlashAttention(
            threads: threads ?? ProcessInfo.processInfo.activeProcessorCount, integers: integers)
        if let fewestFlashKeys { flash.fewestKeys = fewestFlashKeys }
        return flash
    }

    /// On other processors than x86 the library chooses such forms itself.
    private func defaultForms(_ precision: Precision) -> ConvolutionForms {
        guard device == "CPU" else { return .plain }
        #if arch(x86_64)
            return ConvolutionForms(
                winograd: precision == .float32 ? .whereFaster : .never, upsampled: .whereFaster)
        #else
            return ConvolutionForms(winograd: .never, upsampled: .whereFaster)
        #endif
    }
}
