import Checkpoints
import Foundation

/// Which of a repository's files a model needs.
package struct FileSelection {
    private let repository: String
    private let names: [String]

    /// Folders of diffusers' layout that are not used.
    private static let unused: Set<String> = ["safety_checker", "feature_extractor", "image_encoder"]
    private static let weightEndings = ["safetensors", "ckpt", "gguf", "pt", "pth", "bin"]

    /// - Throws: ``HubError/unsafeName(_:repository:)``.
    package init(_ names: [String], of repository: String) throws(HubError) {
        for name in names where !Self.isSafe(name) {
            throw .unsafeName(name, repository: repository)
        }
        self.names = names
        self.repository = repository
    }

    /// Whether a path stays below the folder that it is put into, on any system.
    static func isSafe(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return path.utf8.count <= 1024
            && parts.allSatisfy { part in
                !part.isEmpty && part != "." && part != ".." && !part.contains("\\") && !part.contains(":")
                    && !part.unicodeScalars.contains { $0.properties.generalCategory == .control }
            }
    }

    /// Files that were named.
    ///
    /// - Throws: ``HubError/noFile(_:repository:)``.
    func named(_ wanted: [String]) throws(HubError) -> [String] {
        for name in wanted where !names.contains(name) { throw .noFile(name, repository: repository) }
        return wanted
    }

    /// What a diffusers pipeline is read from: configurations, tokenizers, and of each component's weights one form; or the
    /// one file of weights that there is.
    ///
    /// - Throws: ``HubError/nothingToPull(repository:weights:)``, `ModelFolderError` for a variant that is not there.
    package func model(variant: String?) throws -> [String] {
        let folders = Dictionary(grouping: names.filter { $0.contains("/") }) {
            String($0[..<$0.firstIndex(of: "/")!])
        }
        guard names.contains("model_index.json") else {
            let weights = names.filter { name in
                !name.contains("/") && Self.weightEndings.contains { name.hasSuffix(".\($0)") }
            }.sorted()
            guard weights.count == 1 else {
                throw HubError.nothingToPull(repository: repository, weights: weights)
            }
            return weights
        }
        var chosen = ["model_index.json"]
        for (folder, paths) in folders.sorted(by: { $0.key < $1.key }) where !Self.unused.contains(folder) {
            let own = paths.map { String($0.dropFirst(folder.count + 1)) }.filter { !$0.contains("/") }
            if folder.hasPrefix("tokenizer") || folder.hasPrefix("scheduler") {
                chosen += own.filter { $0.hasSuffix(".json") || $0.hasSuffix(".txt") }.map {
                    "\(folder)/\($0)"
                }
            } else if own.contains("config.json") {
                let weights = try WeightFiles.named(own, in: folder, variant: variant)
                chosen += (["config.json"] + weights).map { "\(folder)/\($0)" }
            }
        }
        return chosen
    }
}
