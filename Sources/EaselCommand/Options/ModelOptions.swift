import ArgumentParser
import Easel
import EngineInterface
import Foundation
import OpenVINOEngine

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
    var processor: ThreadOptions

    /// - Throws: `ValidationError`.
    func check() throws {
        try memory.check()
        try processor.check()
    }

    /// Opens the model.
    ///
    /// - Throws: What ``Model/init(at:engine:precision:vocabulary:vae:memory:)`` throws.
    func open() throws -> Model {
        try Model(
            at: ModelLocation.url(named: model, store: folders.store), engine: processor.engine(),
            precision: precision, vocabulary: vocabulary.map { URL(filePath: $0) },
            vae: vae.map { URL(filePath: ModelLocation.path(named: $0, kind: .vae, store: folders.store)) },
            memory: memory.use)
    }
}

/// How much of the processor computes.
struct ThreadOptions: ParsableArguments {
    @Option(help: "The number of threads (default: one a core).")
    var threads: Int?

    /// - Throws: `ValidationError`.
    func check() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads \(threads) is not possible: it must be from 1 to 1024.")
        }
    }

    /// - Throws: `EngineError` where the engine is not on this machine.
    func engine() throws -> OpenVINOEngine { try OpenVINOEngine(threads: threads) }
}
