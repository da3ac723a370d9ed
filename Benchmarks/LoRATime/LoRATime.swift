import Checkpoints
import Foundation
import Networks

/// How long a LoRA takes to be read and to be added to a U-Net's weights: `LoRATime UNET-FOLDER LORA`.
@main
enum LoRATime {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else { throw Usage() }
        let weights = try Checkpoint(
            contentsOf: URL(filePath: arguments[1]).appending(path: "diffusion_pytorch_model.safetensors"))
        let clock = ContinuousClock()
        for _ in 0..<5 {
            var adapted: AdaptedWeights?
            let reading = try clock.measure {
                let networks = AdaptedNetworks(
                    unet: weights, unetNames: CompVisUNetNames(describing: weights).table.inverted,
                    textEncoders: [])
                let updates = try Adapter(contentsOf: URL(filePath: arguments[2])).updates(networks)
                adapted = AdaptedWeights(unet: weights, adapters: [(updates, strength: 0.8)])
            }
            let plain = try clock.measure { _ = try weights.map(additionalBytes: 0) }
            let merging = try clock.measure { _ = try adapted?.map(additionalBytes: 0) }
            let count = adapted?.changedCount ?? 0
            print("read \(reading), map \(plain), map with \(count) changed weights \(merging)")
        }
    }

    struct Usage: Error, CustomStringConvertible {
        var description: String { "LoRATime UNET-FOLDER LORA" }
    }
}
