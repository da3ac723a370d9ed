import ArgumentParser
import Checkpoints
import Easel
import Foundation

extension ModelConversion.Layout: ExpressibleByArgument {}
extension NumberType: ExpressibleByArgument {}

/// What is written as another model, and where.
struct ConversionOptions: ParsableArguments {
    @Argument(help: "A model: a folder in diffusers' layout, or a single file of any format.")
    var model: String
    @Argument(help: "What is written: a file, or else a folder. It must not be there yet.")
    var output: String
    @Option(help: "folder or file (default: by the ending of the output's name).")
    var layout: ModelConversion.Layout?
    @Option(help: "An autoencoder in place of the model's own: a file or a folder.")
    var vae: String?
    @Option(
        help:
            "CLIP's vocabulary for a model in a single file: a tokenizer folder (default: the installed one)."
    )
    var vocabulary: String?

    var target: URL { URL(filePath: output) }
    /// Whether the output's name is one of a file of ggml's format.
    var isGGUF: Bool { target.pathExtension.lowercased() == "gguf" }
    var targetLayout: ModelConversion.Layout {
        layout ?? (isGGUF || target.pathExtension.lowercased() == "safetensors" ? .file : .folder)
    }
    var vocabularyURL: URL? { vocabulary.map { URL(filePath: $0) } }
    var vaeURL: URL? {
        get throws {
            try vae.map {
                URL(filePath: ModelLocation.path(named: $0, kind: .vae, store: try ModelLocation.store()))
            }
        }
    }

    func validate() throws {
        guard layout == nil, ["ckpt", "pt", "pth", "bin"].contains(target.pathExtension.lowercased()) else {
            return
        }
        throw ValidationError(
            "\(output): pickles are not written. Name a .safetensors file, or a folder; with --layout any name will do."
        )
    }

    /// Tells of values that are not numbers, which are written as any other.
    func warn(of opened: ModelConversion) throws {
        guard let damage = try opened.damage() else { return }
        FileHandle.standardError.write(Data("easel: \(damage)\n".utf8))
    }

    /// Opens the model.
    ///
    /// - Throws: What ``ModelConversion/init(of:vocabulary:vae:loras:)`` throws.
    func open(loras: [LoRA] = []) throws -> ModelConversion {
        try ModelConversion(
            of: ModelLocation.url(named: model), vocabulary: vocabularyURL, vae: vaeURL, loras: loras)
    }
}
