import Checkpoints
import EngineInterface
import Foundation
import Networks
import OpenVINOEngine
import TensorGraph

/// One step of a U-Net, timed: for each line "run" on standard input, one run and one line of JSON.
///
/// Usage: `UNetStep FOLDER PRECISION [THREADS]`, where the folder is a model's `unet`.
@main
struct UNetStep {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3, let precision = Precision(rawValue: arguments[2]) else {
            FileHandle.standardError.write(
                Data("usage: UNetStep FOLDER auto|f32|bf16|f16|int8 [THREADS]\n".utf8))
            exit(64)
        }
        let folder = URL(filePath: arguments[1])
        let configuration = try UNetConfiguration(
            Configuration(contentsOf: folder.appending(path: "config.json")))
        let checkpoint = try Checkpoint(
            contentsOf: folder.appending(path: "diffusion_pytorch_model.safetensors"))
        // The time does not depend on what the ranges are.
        let layers = UNet.quantizedLayers(of: checkpoint)
        let ranges = ActivationRanges(
            Dictionary(uniqueKeysWithValues: layers.map { ($0, .init(lowest: -0.5, highest: 5.5)) }))
        let weights: any WeightStorage =
            precision == .int8 ? QuantizedWeights(checkpoint, layers: layers, ranges: ranges) : checkpoint

        let clock = ContinuousClock()
        let start = clock.now
        let (height, width) = (configuration.sampleHeight, configuration.sampleWidth)
        // Two predictions a step: without the prompt and with it, as guidance asks.
        let graph = try UNet(configuration).graph(
            batch: 1, passes: 2, height: height, width: width, tokens: 77, weights: weights)
        let engine = try OpenVINOEngine(threads: arguments.count > 3 ? Int(arguments[3]) : nil)
        let unet = try await engine.compile(graph, weights: weights, precision: precision)
        tell("{\"ready\": \(start.duration(to: clock.now) / .seconds(1))}")

        let inputs = [
            "latents": noise([1, configuration.inputChannels, height, width]),
            "timestep": HostTensor([500] as [Float], shape: [1]),
            "context": noise([2, 77, configuration.contextWidth]),
        ]
        while let line = readLine() {
            guard line == "run" else { continue }
            let start = clock.now
            _ = try await unet.run(inputs)
            tell("{\"seconds\": \(start.duration(to: clock.now) / .seconds(1))}")
        }
    }

    /// Writes a line at once, whatever standard output is.
    private static func tell(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    private static func noise(_ shape: Shape) -> HostTensor {
        HostTensor((0..<shape.count).map { _ in Float.random(in: -1...1) }, shape: shape)
    }
}
