import Checkpoints
import Easel
import EngineInterface
import Foundation
import OpenVINOEngine

/// What each layer of the U-Net costs in int8: the distance of the latents where that layer alone is of integers.
struct LayerSensitivity {
    private let model: URL
    private static let (prompts, steps) = (2, 6)

    init(_ model: URL) { self.model = model }

    func measure() async throws {
        let engine = try OpenVINOEngine()
        let ranges = try await Model(at: model, engine: engine, precision: .int8).activationRanges()
        let exact = try await trajectories(Model(at: model, engine: engine, precision: .float32))
        let layers = ranges.ranges.keys.filter { !$0.hasPrefix("decoder.") }.sorted()
        print("all", try await error(Set(layers), ranges, exact))
        for (name, members) in Dictionary(grouping: layers, by: block).sorted(by: { $0.key < $1.key }) {
            print("block \(name) (\(members.count))", try await error(Set(members), ranges, exact))
        }
        var found: [(layer: String, error: Double)] = []
        for layer in layers { found.append((layer, try await error([layer], ranges, exact))) }
        for (layer, error) in found.sorted(by: { $0.error > $1.error }) { print(layer, error) }
    }

    private func block(_ layer: String) -> String {
        layer.split(separator: ".").prefix(layer.hasPrefix("mid") ? 1 : 2).joined(separator: ".")
    }

    private func trajectories(_ model: Model) async throws -> [Trajectory] {
        try await Trajectory.all(of: model, prompts: Self.prompts, steps: Self.steps, sampler: nil)
    }

    /// The mean of the last latents' errors where those layers are of integers and the others are f32.
    private func error(
        _ layers: Set<String>, _ ranges: ActivationRanges, _ exact: [Trajectory]
    ) async throws -> Double {
        let folder = FileManager.default.temporaryDirectory.appending(path: "layers-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        var conversion = try ModelConversion(of: model)
        conversion.quantize(ActivationRanges(ranges.ranges.filter { layers.contains($0.key) }))
        try conversion.write(to: folder, layout: .folder)
        let own = try await trajectories(
            Model(at: folder, engine: OpenVINOEngine(), precision: .float32))
        let errors = zip(own, exact).map { own, exact in
            Distance(own.latents.last ?? [], from: exact.latents.last ?? []).relativeError
        }
        return mean(errors)
    }
}
