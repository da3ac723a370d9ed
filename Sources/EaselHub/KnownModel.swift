import Checkpoints
import Foundation

extension HubCache {
    /// The first part that a snapshot's model lacks, of those that are pulled with it; nil where all are there, or it is no
    /// model in diffusers' layout, of which its reader tells.
    static func missingPart(of snapshot: URL, variant: String?) -> String? {
        guard let model = try? ModelFolder(at: snapshot) else { return nil }
        for name in model.components.keys.sorted() where !FileSelection.unused.contains(name) {
            let folder = snapshot.appending(path: name)
            // A link may lead to a blob that is gone.
            let names = folder.folderContents.filter { FileManager.default.fileExists(atPath: $0.path) }
                .map(\.lastPathComponent)
            if name.hasPrefix("tokenizer") || name.hasPrefix("scheduler") {
                if names.isEmpty { return name }
                continue
            }
            guard names.contains("config.json") else { return "\(name)/config.json" }
            guard let weights = try? WeightFiles.named(names, in: name, variant: variant) else {
                return "the weights of \(name)"
            }
            guard let index = weights.first, index.hasSuffix(".json") else { continue }
            let document = try? JSONValue(contentsOf: folder.appending(path: index))
            let shards = document?.objectValue?["weight_map"]?.objectValue?.members.compactMap(
                \.value.stringValue)
            if let absent = (shards ?? []).first(where: { !names.contains($0) }) {
                return "\(name)/\(absent)"
            }
        }
        return nil
    }
}
