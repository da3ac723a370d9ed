import Checkpoints
import EngineInterface
import Foundation
import TensorGraph

/// Computes graphs with Vulkan: on NVIDIA's, AMD's, Intel's and other GPUs, with nothing but their driver.
public struct VulkanEngine: Engine {
    public let name = "vulkan"
    private let opened: OpenDevice
    /// The device as it was opened last, which may be lost.
    var device: VulkanDevice { opened.last }
    var tuning: Tuning

    /// Opens a device.
    ///
    /// - Parameter choice: Its number in ``devices()``, or its name or a part of it; nil takes the best one: a GPU with memory
    ///   of its own before another, and none that is a program.
    /// - Parameter folder: Where it is kept how products are computed fastest, which is measured when a network's sizes are
    ///   first met; nil keeps it for as long as the engine is there.
    /// - Throws: ``EngineError/unavailable(engine:reason:remedy:)`` where there is no such device, or none.
    public init(_ choice: String? = nil, tuningFolder folder: URL? = nil) throws {
        try self.init(choice, of: VulkanInstance.shared.get(), tuningFolder: folder)
    }

    /// Opens a device whose driver says of kernels what its compiler made of them, where it can.
    package init(_ choice: String?, tuningFolder folder: URL?, capturingStatistics: Bool) throws {
        try self.init(
            choice, of: VulkanInstance.shared.get(), tuningFolder: folder,
            capturingStatistics: capturingStatistics)
    }

    /// - Parameter patience: How long a run may take before the device is taken for lost.
    init(
        _ choice: String?, of instance: VulkanInstance, patience: Duration = .seconds(600),
        tuningFolder: URL? = nil, capturingStatistics: Bool = false
    ) throws {
        let physical = try Self.choose(choice, among: instance.devices(), named: \.name) { device in
            guard device.missing == nil else { return nil }
            switch device.kind {
            case .discrete: return 0
            case .integrated, .virtual, .other: return 1
            case .software: return nil
            }
        }
        opened = try OpenDevice(
            physical, patience: patience, capturingStatistics: capturingStatistics)
        tuning = Tuning(physical, keptIn: tuningFolder)
        let device = opened.last
        for matrices in physical.cooperativeMatrices {
            tuning.matrices = matrices
            if let check = MatrixCheck(MatrixCheck.smallest, tuning), check.passes(on: device) {
                // Attention is computed without, too.
                tuning.layout = try? MatrixLayout(device, matrices)
                return
            }
        }
        tuning.matrices = nil
    }

    /// The device that is meant.
    ///
    /// - Parameter rank: How good one is that nobody named, less being better; nil for one that is only taken by name.
    static func choose<Device>(
        _ choice: String?, among devices: [Device], named name: (Device) -> String,
        rank: (Device) -> Int?
    ) throws(EngineError) -> Device {
        let list = devices.enumerated().map { "\($0) \(name($1))" }.joined(separator: ", ")
        guard let choice else {
            let ranked = devices.compactMap { device in rank(device).map { (device, $0) } }
            guard let best = ranked.min(by: { $0.1 < $1.1 }) else {
                throw .noVulkan(
                    list.isEmpty ? "there is no device" : "there is no GPU among the devices: \(list)")
            }
            return best.0
        }
        let number = Int(choice)
        if let number, devices.indices.contains(number) { return devices[number] }
        let (wanted, names) = (choice.lowercased(), devices.map { name($0).lowercased() })
        func isNamed(_ name: String) -> Bool {
            // A number is a whole word of a name, such as 4090: 3 is a device that is not there.
            number == nil ? name.contains(wanted) : name.split(separator: " ").contains(Substring(wanted))
        }
        // One device's whole name may be a part of another's.
        guard let index = names.firstIndex(of: wanted) ?? names.firstIndex(where: isNamed) else {
            throw .noVulkan(
                "there is no device \(number.map { "\($0)" } ?? "\"\(choice)\"")"
                    + (list.isEmpty ? "" : " among \(list)"))
        }
        return devices[index]
    }

    /// The processors that Vulkan's drivers know, by their numbers.
    ///
    /// - Throws: ``EngineError/unavailable(engine:reason:remedy:)`` where there is no driver.
    public static func devices() throws -> [VulkanDeviceDescription] {
        try VulkanInstance.shared.get().devices().map(\.description)
    }

    /// The device that computes.
    public var deviceDescription: VulkanDeviceDescription { device.physical.description }

    public var memoryByteCount: Int? {
        device.physical.kind == .discrete ? device.physical.memoryByteCount : nil
    }

    public var peakDeviceMemoryByteCount: Int? { opened.peakMemoryByteCount }

    public func resolve(_ requested: Precision) throws -> Precision {
        let supported = deviceDescription.precisions
        if requested == .automatic { return supported[0] }
        guard supported.contains(requested) else {
            throw EngineError.unsupportedPrecision(requested, engine: name, supported: supported)
        }
        return requested
    }

    /// The engine without measuring how products are divided best.
    package func dividingBySizes() -> VulkanEngine {
        var engine = self
        engine.tuning.isMeasuring = false
        return engine
    }

    /// An engine for each way to divide products or attention, which takes that way wherever it can.
    package func withEachDivision() -> [(name: String, isAttention: Bool, engine: VulkanEngine)] {
        guard tuning.matrices != nil else { return [] }
        let products = ProductTile.all.flatMap { tile in
            [1, 4].map { (false, ProductChoice(tile: tile, parts: $0)) }
        }
        let attention = ProductTile.attention.map { (true, ProductChoice(tile: $0, parts: 1)) }
        return (products + attention).map { isAttention, choice in
            var engine = dividingBySizes()
            engine.tuning.productChoice = choice
            return (choice.description, isAttention, engine)
        }
    }

    public func compile(_ graph: Graph, weights: any WeightStorage, precision: Precision) async throws
        -> any CompiledGraph
    {
        let isHalf = try resolve(precision) == .float16
        return try await VulkanGraph(
            graph, weights: weights, opened: opened, isHalf: isHalf, tuning: tuning)
    }

    public func compileStreaming(
        _ graph: Graph, weights: any WeightStorage, precision: Precision, weightCount: Int
    ) async throws -> (any CompiledGraph)? {
        guard memoryByteCount != nil else { return nil }
        let isHalf = try resolve(precision) == .float16
        var tuning = tuning
        tuning.streamedByteCount = weightCount * (isHalf ? 2 : 4)
        return try await VulkanGraph(
            graph, weights: weights, opened: opened, isHalf: isHalf, tuning: tuning)
    }
}
