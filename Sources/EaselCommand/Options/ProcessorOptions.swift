import ArgumentParser
import Easel
import EngineInterface
import Foundation
import OpenVINOEngine
import VulkanEngine

/// Which processor computes, and how much of it.
struct ProcessorOptions: ParsableArguments {
    @Option(
        help:
            "auto, cpu, gpu, or one of `easel devices` as gpu:NUMBER or gpu:NAME (default: a GPU with memory of its own that is enough for the model, else the CPU)."
    )
    var device = DeviceChoice.automatic
    @OptionGroup
    var cpu: ThreadOptions

    /// Opens a model on the processor that is asked for.
    ///
    /// - Throws: `EngineError` where there is no such processor, and what `open` throws.
    func open(_ precision: Precision, _ open: (any Engine) throws -> Model) async throws -> Model {
        switch device {
        case .cpu: return try open(OpenVINOEngine(threads: cpu.threads))
        case .gpu(let name): return try open(Self.gpu(name))
        case .automatic:
            if cpu.threads == nil, [.automatic, .float16, .float32].contains(precision),
                let gpu = DiscreteGPU.first, let engine = try? Self.gpu(gpu.name)
            {
                let model = try open(engine)
                if try await model.fitsInMemory() { return model }
            }
            return try open(OpenVINOEngine(threads: cpu.threads))
        }
    }

    /// The GPU of that name, which keeps how it computes fastest beside what else can be made again.
    private static func gpu(_ name: String?) throws -> VulkanEngine {
        try VulkanEngine(name, tuningFolder: cacheFolder.appending(path: "easel/tuning"))
    }
}

/// How much of the CPU computes.
struct ThreadOptions: ParsableArguments {
    @Option(help: "The number of threads of the CPU (default: one a core).")
    var threads: Int?

    /// - Throws: `ValidationError`.
    func check() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads \(threads) is not possible: it must be from 1 to 1024.")
        }
    }
}

/// What `--device` takes.
enum DeviceChoice: ExpressibleByArgument, Hashable, CustomStringConvertible {
    case automatic
    case cpu
    /// By its number or a part of its name; nil is the best one.
    case gpu(String?)

    init?(argument: String) {
        switch argument.lowercased() {
        case "auto": self = .automatic
        case "cpu": self = .cpu
        case "gpu": self = .gpu(nil)
        case let other where other.hasPrefix("gpu:") && other.count > 4:
            self = .gpu(String(argument.dropFirst(4)))
        default: return nil
        }
    }

    var description: String {
        switch self {
        case .automatic: "auto"
        case .cpu: "cpu"
        case .gpu(let name): name.map { "gpu:\($0)" } ?? "gpu"
        }
    }
}

/// A GPU with memory of its own.
private enum DiscreteGPU {
    /// The first that can be used; nil on a machine that has none.
    static var first: VulkanDeviceDescription? {
        #if os(Linux)
            // Drivers take some tenths of a second to start: not where there is nothing for them.
            let nodes = ["/dev/dri", "/dev/nvidiactl", "/dev/dxg"]
            guard nodes.contains(where: FileManager.default.fileExists) else { return nil }
        #endif
        let devices = (try? VulkanEngine.devices()) ?? []
        return devices.first { $0.kind == .discrete && $0.missing == nil }
    }
}
