import ArgumentParser
import Checkpoints
import Easel
import Foundation

extension ModelConversion.Layout: ExpressibleByArgument {}
extension NumberType: ExpressibleByArgument {}

/// `easel convert`: a model in another layout, or of other numbers.
struct ConvertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Write a model as a diffusers folder or as one safetensors file.")

    @Argument(help: "A model: a folder in diffusers' layout, or a single file of any format.")
    var model: String
    @Argument(help: "What is written: a .safetensors file, or else a folder. It must not be there yet.")
    var output: String
    @Option(help: "folder or file (default: by the ending of the output's name).")
    var layout: ModelConversion.Layout?
    @Option(
        help: "f64, f32, f16, bf16, f8-e4m3 or f8-e5m2: what numbers are stored as (default: each as it is).")
    var type: NumberType?
    @Option(help: "An autoencoder in place of the model's own: a file or a folder.")
    var vae: String?
    @Option(
        help: ArgumentHelp(
            "A LoRA to add to the weights for good, and how strongly (default: 1); repeatable.",
            valueName: "FILE[:weight[:te-weight]]"))
    var lora: [LoRA] = []
    @Option(
        help:
            "CLIP's vocabulary for a model in a single file: a tokenizer folder (default: the installed one)."
    )
    var vocabulary: String?

    func run() async throws { try await reportingErrors { try convert() } }

    private func convert() throws {
        let target = URL(filePath: output)
        let store = ModelLocation.store()
        let loras = lora.map { lora in
            var lora = lora
            lora.path = ModelLocation.path(named: lora.path, kind: .lora, store: store)
            return lora
        }
        let conversion = try ModelConversion(
            of: ModelLocation.url(named: model), vocabulary: vocabulary.map { URL(filePath: $0) },
            vae: vae.map { URL(filePath: ModelLocation.path(named: $0, kind: .vae, store: store)) },
            loras: loras)
        try conversion.write(
            to: target, layout: layout ?? (target.pathExtension == "safetensors" ? .file : .folder),
            numbers: type)
        print(output)
    }
}
