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
    /// - Parameter settings: Those of a picture, whose model is taken where no other is named.
    /// - Throws: ``RecordedModelMissing``, ``RecordedAutoencoderMissing``; what ``Model/init(at:engine:precision:vocabulary:vae:memory:)`` throws.
    func open(as settings: PictureSettings? = nil) async throws -> Model {
        let store = try folders.store
        var vae = vae.map { URL(filePath: ModelLocation.path(named: $0, kind: .vae, store: store)) }
        let location: URL
        if model == nil, let settings, let name = settings.model {
            location = try ModelLocation.url(recorded: name, in: settings.path, store: store)
            if vae == nil, let file = settings.vae {
                vae = try ModelLocation.autoencoder(recorded: file, in: settings.path, store: store)
            }
        } else {
            location = try ModelLocation.url(named: model, store: store)
        }
        return try await processor.open(precision) { engine in
            try Model(
                at: location, engine: engine, precision: precision,
                vocabulary: vocabulary.map { URL(filePath: $0) }, vae: vae, memory: memory.use)
        }
    }
}
