import Easel
import EngineInterface
import Foundation
import OpenVINOEngine

/// How long it takes until the first step where the LoRAs of a loaded model change: `LoRAChange MODEL LORA [PRECISION]`.
@main
enum LoRAChange {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 2 else { throw Usage() }
        let precision = arguments.count > 3 ? Precision(rawValue: arguments[3]) ?? .automatic : .automatic
        let model = try Model(at: URL(filePath: arguments[1]), engine: OpenVINOEngine(), precision: precision)
        var request = Request(prompt: "a cat", steps: 1, guidanceScale: 7.5, seed: 1)
        for weight in [0, 0, 1, 0, 0.5] as [Float] {
            request.loras = [LoRA(path: arguments[2], weight: weight)]
            let clock = ContinuousClock()
            let start = clock.now
            var begun = start
            for try await event in model.generate(request) {
                if case .stage(.denoising) = event { begun = clock.now }
                if case .step = event {
                    print(
                        "weight \(weight): \(begun - start) until denoising begins, a step \(clock.now - begun)"
                    )
                    break
                }
            }
        }
    }

    struct Usage: Error, CustomStringConvertible {
        var description: String { "LoRAChange MODEL LORA [f32|bf16]" }
    }
}
