import Checkpoints
import EaselHub
import Foundation
import ProgramFiles

/// Where a model is: the folder or the file that was named, a model of that name, or else the demo model that comes with
/// Easel.
enum ModelLocation {
    /// The models that can be named, in these folders and those of the environment too.
    ///
    /// - Throws: ``ModelFolderMissing`` for one of the environment that is no folder.
    static func store(_ folders: [String] = []) throws(ModelFolderMissing) -> ModelStore {
        let named = (ProcessInfo.processInfo.environment["EASEL_MODELS_DIR"] ?? "")
            .split(separator: ":").map(String.init)
        for folder in named where !URL(filePath: folder).isFolder {
            throw ModelFolderMissing(folder: folder)
        }
        return ModelStore(folders: (folders + named).map { URL(filePath: $0) })
    }

    /// - Parameter store: Where a name is looked for; nil takes the folders of the environment.
    /// - Throws: `HubError` for a name that is none, ``ModelFolderMissing``.
    static func url(named name: String?, store: ModelStore? = nil) throws -> URL {
        if let name {
            let url = URL(filePath: name)
            let isPath = name.hasPrefix("/") || name.hasPrefix(".") || name.hasPrefix("~")
            if isPath || FileManager.default.fileExists(atPath: url.path) { return url }
            return try (store ?? self.store()).model(named: name)
        }
        guard let demo = demoModel else { throw DemoModelMissing() }
        return demo
    }

    /// Where the model is that a picture was made with, by the name that it carries.
    ///
    /// - Throws: ``RecordedModelMissing``.
    static func url(recorded name: String, in picture: String, store: ModelStore) throws -> URL {
        if let demo = demoModel, demo.lastPathComponent == name { return demo }
        guard let found = store.file(named: name, kind: .model) else {
            throw RecordedModelMissing(picture: picture, model: name)
        }
        return found
    }

    /// Where the autoencoder is that a picture was made with in place of its model's own.
    ///
    /// - Throws: ``RecordedAutoencoderMissing``.
    static func autoencoder(recorded file: String, in picture: String, store: ModelStore) throws -> URL {
        let found = store.entries.lazy.filter { $0.kind == .vae }.map { URL(filePath: $0.path) }
            .first { $0.lastPathComponent == file }
        guard let found else { throw RecordedAutoencoderMissing(picture: picture, file: file) }
        return found
    }

    /// Where something that is used with a model is: at the path that was named, else what the store has of that name.
    static func path(named name: String, kind: ModelStore.Kind, store: ModelStore) -> String {
        if FileManager.default.fileExists(atPath: name) { return name }
        return store.file(named: name, kind: kind)?.path ?? name
    }

    /// The demo model: beside the installed tool, or in the folder that the tool was built in.
    private static var demoModel: URL? {
        ProgramFiles.first(of: "Models/demo", "share/easel/Models/demo") {
            FileManager.default.fileExists(atPath: $0.appending(path: "model_index.json").path)
        }
    }
}

struct ModelFolderMissing: Error, CustomStringConvertible {
    let folder: String

    var description: String {
        "EASEL_MODELS_DIR names \(folder.quoted), and there is no such folder; correct it, or leave that one out"
    }
}

struct RecordedModelMissing: Error, CustomStringConvertible {
    let picture: String
    let model: String

    var description: String {
        "\(picture) was made with a model named \(model.quoted), and none of that name is found; say with --model where it "
            + "is, or which to take"
    }
}

struct RecordedAutoencoderMissing: Error, CustomStringConvertible {
    let picture: String
    let file: String

    var description: String {
        "\(picture) was made with the autoencoder (VAE) \(file.quoted) in place of its model's own, and none of that name is "
            + "found; say with --vae where it is, or name the model with --model to take its own"
    }
}

struct DemoModelMissing: Error, CustomStringConvertible {
    var description: String {
        "the demo model is not in a folder Models/demo above the tool; name a model with --model"
    }
}
