import Checkpoints
import Easel
import EngineInterface
import Foundation
import TensorGraph
import VulkanEngine

/// One network by itself: the U-Net with both passes of guidance, or the autoencoder's decoder.
struct NetworkTimes {
    let network: String
    /// What a caller waits for, with inputs going in and results coming out.
    let runSeconds: Double
    /// From the first dispatch to the last, on the device.
    let deviceSeconds: Double
    let compileSeconds: Double
    /// Of each dispatch, alone.
    let calls: [KernelTime]

    private struct Line: Encodable {
        let figures = "network"
        let network: String
        let runSeconds, deviceSeconds, sumOfDispatchSeconds, compileSeconds: Double
        let dispatches: Int
        let operations: Int
    }

    init(
        _ network: ModelNetwork, engine: VulkanEngine, model: URL, precision: Precision, size: Int, runs: Int
    ) async throws {
        let folder = model.appending(path: network == .unet ? "unet" : "vae")
        let weights = try Checkpoint(
            contentsOf: folder.appending(path: "diffusion_pytorch_model.safetensors"))
        let graph = try network.graph(of: model, width: size, height: size)
        let clock = ContinuousClock()
        let start = clock.now
        guard
            let compiled = try await engine.compile(graph, weights: weights, precision: precision)
                as? VulkanGraph
        else { fatalError("the Vulkan engine makes graphs of its own") }
        compileSeconds = start.duration(to: clock.now) / .seconds(1)
        let inputs = Dictionary(
            uniqueKeysWithValues: graph.inputs.map { ($0.name, Self.values($0.name, $0.type.shape)) })
        var seconds: [Double] = []
        var measured: [RunTimes] = []
        _ = try await compiled.run(inputs)
        for _ in 0..<max(runs, 1) {
            let start = clock.now
            _ = try await compiled.run(inputs)
            seconds.append(start.duration(to: clock.now) / .seconds(1))
        }
        for _ in 0...max(runs, 1) { measured.append(try await compiled.measure(inputs)) }
        measured.removeFirst()
        self.network = graph.name
        runSeconds = median(seconds)
        deviceSeconds = median(measured.map(\.seconds))
        calls = measured[0].calls.indices.map { index in
            measured[0].calls[index].lasting(median(measured.map { $0.calls[index].seconds }))
        }
    }

    private static func values(_ name: String, _ shape: Shape) -> HostTensor {
        switch name {
        case "timestep": HostTensor([500 as Float], shape: shape)
        case "numbers": HostTensor([Float](repeating: 512, count: shape.count), shape: shape)
        default: HostTensor(noise(shape.count), shape: shape)
        }
    }

    func print() throws {
        let sum = calls.reduce(0) { $0 + $1.seconds }
        Swift.print(
            "\(network): "
                + String(
                    format:
                        "%.3f ms a run, %.3f ms of it on the device, %.3f ms one after the other; %d dispatches",
                    runSeconds * 1e3, deviceSeconds * 1e3, sum * 1e3, calls.count))
        try printLine(
            Line(
                network: network, runSeconds: runSeconds, deviceSeconds: deviceSeconds,
                sumOfDispatchSeconds: sum, compileSeconds: compileSeconds, dispatches: calls.count,
                operations: calls.reduce(0) { $0 + $1.operationCount }))
    }
}
