import ArgumentParser
import Easel
import Foundation
import TensorGraph

extension ModelConversion.Layout: ExpressibleByArgument {}

/// `easel convert`: a model in another layout, or of other numbers.
struct ConvertCommand: AsyncParsableCommand {
    /// What numbers can be stored as.
    enum NumberType: String, ExpressibleByArgument, CaseIterable {
        case f64, f32, f16, bf16

        var elementType: ElementType {
            switch self {
            case .f64: .float64
            case .f32: .float32
            case .f16: .float16
            case .bf16: .bfloat16
            }
        }
    }

    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Write a model as a diffusers folder or as one safetensors file.")

    @Argument(help: "A model: a folder in diffusers' layout, or a single file of any format.")
    var model: String
    @Argument(help: "What is written: a .safetensors file, or else a folder. It must not be there yet.")
    var output: String
    @Option(help: "folder or file (default: by the ending of the output's name).")
    var layout: ModelConversion.Layout?
    @Option(help: "f64, f32, f16 or bf16: what numbers are stored as (default: each as it is).")
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
        let conversion = try ModelConversion(
            of: ModelLocation.url(named: model), vocabulary: vocabulary.map { URL(filePath: $0) },
            vae: vae.map { URL(filePath: $0) }, loras: lora)
        try conversion.write(
            to: target, layout: layout ?? (target.pathExtension == "safetensors" ? .file : .folder),
            elementType: type?.elementType)
        print(output)
    }
}
