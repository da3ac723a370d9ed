import ArgumentParser
import Checkpoints
import Easel
import Foundation
import OpenVINOEngine

/// `easel quantize`: a model as integers of 8 bits, half as large as in half precision.
struct QuantizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize",
        abstract: "Write a model as integers of 8 bits, which is smaller, loads sooner and paints faster.",
        discussion: """
            The model makes a few pictures first, to see what its layers are given: that takes a minute or two for one of \
            full size, once for the same weights.
            """)

    @Argument(help: "A model: a folder in diffusers' layout, or a single file of any format.")
    var model: String
    @Argument(help: "What is written: a .safetensors file, or else a folder. It must not be there yet.")
    var output: String
    @Option(help: "folder or file (default: by the ending of the output's name).")
    var layout: ModelConversion.Layout?
    @Option(help: "What the other numbers are stored as: f32, f16 or bf16 (default: each as it is).")
    var type: NumberType?
    @Option(help: "An autoencoder in place of the model's own: a file or a folder.")
    var vae: String?
    @Option(
        help:
            "CLIP's vocabulary for a model in a single file: a tokenizer folder (default: the installed one)."
    )
    var vocabulary: String?
    @OptionGroup
    var cpu: ThreadOptions

    func validate() throws { try cpu.check() }

    func run() async throws { try await reportingErrors { try await quantize() } }

    private func quantize() async throws {
        let target = URL(filePath: output)
        let layout = layout ?? (target.pathExtension == "safetensors" ? .file : .folder)
        let location = try ModelLocation.url(named: model)
        let vocabulary = vocabulary.map { URL(filePath: $0) }
        let vae = vae.map {
            URL(filePath: ModelLocation.path(named: $0, kind: .vae, store: ModelLocation.store()))
        }
        var conversion = try ModelConversion(of: location, vocabulary: vocabulary, vae: vae)
        try conversion.check(target, layout: layout)
        let measured = try Model(
            at: location, engine: OpenVINOEngine(threads: cpu.threads), precision: .int8,
            vocabulary: vocabulary,
            vae: vae)
        conversion.quantize(try await measured.activationRanges())
        try conversion.write(to: target, layout: layout, numbers: type)
        print(output)
    }
}
