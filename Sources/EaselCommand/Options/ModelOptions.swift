import ArgumentParser
import Easel
import EngineInterface
import Foundation

/// Which model makes pictures, and how it is computed.
struct ModelOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help:
            "A model: a folder, a single file, or a name that `easel models` lists (default: the demo model)."
    )
    var model: String?
    @OptionGroup(title: "Models")
    var folders: ModelFolderOptions
    @Option(
        help:
            "CLIP's vocabulary for a model in a single file: a tokenizer folder (default: the installed one)."
    )
    var vocabulary: String?
    @Option(help: "An autoencoder in place of the model's own, such as TAESD: a file, a folder or a name.")
    var vae: String?
    @Option(help: "auto, f32, bf16, f16 or int8: the arithmetic of the networks.")
    var precision = Precision.automatic
    @OptionGroup(title: "Memory")
    var memory: MemoryOptions
    @OptionGroup
    var processor: ProcessorOptions

    /// - Throws: `ValidationError`.
    func check() throws {
        try memory.check()
        try processor.cpu.check()
    }

    /// Opens the model.
    ///
    /// - Throws: What ``Model/init(at:engine:precision:vocabulary:vae:memory:)`` throws.
    func open() async throws -> Model {
        let location = try ModelLocation.url(named: model, store: folders.store)
        let vae = try vae.map {
            URL(filePath: ModelLocation.path(named: $0, kind: .vae, store: try folders.store))
        }
        return try await processor.open(precision) { engine in
            try Model(
                at: location, engine: engine, precision: precision,
                vocabulary: vocabulary.map { URL(filePath: $0) }, vae: vae, memory: memory.use)
        }
    }
}
