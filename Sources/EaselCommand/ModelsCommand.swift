import ArgumentParser
import Checkpoints
import EaselHub
import Foundation

/// `easel models`: what models there are.
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "List the models on this machine, by the names that --model takes.")

    @OptionGroup var folders: ModelFolderOptions
    @Flag(help: "Print one line of JSON for each.")
    var json = false

    func run() async throws { await reportingErrors { try show() } }

    private func show() throws {
        let entries = try folders.store.entries
        if json {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            for entry in entries { print(String(decoding: try encoder.encode(entry), as: UTF8.self)) }
            return
        }
        let width = entries.map(\.name.count).max() ?? 0
        for entry in entries {
            let name = entry.name.withoutControls.padding(toLength: width, withPad: " ", startingAt: 0)
            let (unit, divisor) = entry.byteCount < 1_000_000_000 ? ("MB", 1e6) : ("GB", 1e9)
            let size = String(format: "%8.2f ", Double(entry.byteCount) / divisor) + unit
            print(
                "\(name)  \(entry.kind.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0)) \(size)  \(entry.place)"
            )
        }
        if entries.isEmpty { print("none; fetch one with easel pull, or name a folder with --models-dir") }
    }
}

/// `easel rm`: removes a model.
struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove a model from Easel's own folder or the hub's cache.")

    @Argument(help: "A name that `easel models` lists; what other revisions have too stays.")
    var name: String

    func run() async throws {
        await reportingErrors {
            for entry in try ModelLocation.store().remove(name) { print(entry.path) }
        }
    }
}

/// Where models are looked for, besides Easel's folder and the hub's cache.
struct ModelFolderOptions: ParsableArguments {
    @Option(
        help:
            "A folder of models: AUTOMATIC1111's, ComfyUI's or any; repeatable (EASEL_MODELS_DIR, with colons between)."
    )
    var modelsDir: [String] = []

    var store: ModelStore {
        get throws { try ModelLocation.store(modelsDir) }
    }

    func validate() throws {
        for folder in modelsDir where !URL(filePath: folder).isFolder {
            throw ValidationError("--models-dir \(folder.quoted): there is no such folder.")
        }
    }
}
