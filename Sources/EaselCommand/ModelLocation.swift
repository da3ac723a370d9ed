import EaselHub
import Foundation

/// Where a model is: the folder or the file that was named, a model of that name, or else the demo model that comes with
/// Easel.
enum ModelLocation {
    /// The models that can be named, in these folders and those of the environment too.
    static func store(_ folders: [String] = []) -> ModelStore {
        let named = ProcessInfo.processInfo.environment["EASEL_MODELS_DIR"] ?? ""
        let all = folders + named.split(separator: ":").map(String.init)
        return ModelStore(folders: all.map { URL(filePath: $0) })
    }

    /// - Throws: `HubError` for a name that is none.
    static func url(named name: String?, store: ModelStore = store()) throws -> URL {
        if let name {
            let url = URL(filePath: name)
            let isPath = name.hasPrefix("/") || name.hasPrefix(".") || name.hasPrefix("~")
            if isPath || FileManager.default.fileExists(atPath: url.path) { return url }
            return try store.model(named: name)
        }
        guard let demo = demoModel else { throw DemoModelMissing() }
        return demo
    }

    /// Where something that is used with a model is: at the path that was named, else what the store has of that name.
    static func path(named name: String, kind: ModelStore.Kind, store: ModelStore) -> String {
        if FileManager.default.fileExists(atPath: name) { return name }
        return store.file(named: name, kind: kind)?.path ?? name
    }

    /// The demo model: beside the installed tool, or in the folder that the tool was built in.
    private static var demoModel: URL? {
        let tool = URL(filePath: Bundle.main.executablePath ?? CommandLine.arguments[0])
            .resolvingSymlinksInPath()
        var folder = tool.deletingLastPathComponent()
        while true {
            for place in ["Models/demo", "share/easel/Models/demo"] {
                let model = folder.appending(path: place)
                if FileManager.default.fileExists(atPath: model.appending(path: "model_index.json").path) {
                    return model
                }
            }
            let parent = folder.deletingLastPathComponent()
            if parent.path == folder.path { return nil }
            folder = parent
        }
    }
}

struct DemoModelMissing: Error, CustomStringConvertible {
    var description: String {
        "the demo model is not in a folder Models/demo above the tool; name a model with --model"
    }
}
