import Checkpoints
import Foundation

/// Which of a repository's files a model needs.
package struct FileSelection {
    private let repository: String
    private let names: [String]

    /// Folders of diffusers' layout that are not used.
    static let unused: Set<String> = ["safety_checker", "feature_extractor", "image_encoder"]
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
    static func isSafe(_ path: String) -> Bool { fault(of: path) == nil }

    /// What is wrong with a path that is no plain one below the folder that it is put into; nil where nothing is.
    static func fault(of path: String) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        if path.isEmpty { return "is empty" }
        if path.hasPrefix("/") || parts.contains("..") { return "leads out of its folder" }
        if path.hasControlCharacter { return "has a control character" }
        if path.contains("\\") || path.contains(":") {
            return "has a backslash or a colon, which lead out of the folder on some systems"
        }
        if parts.contains("") || parts.contains(".") { return "has a part that is empty or a dot" }
        return path.utf8.count > 1024 ? "is longer than 1024 bytes" : nil
    }

    /// Files that were named.
    ///
    /// - Throws: ``HubError/noFile(_:repository:)``.
    func named(_ wanted: [String]) throws(HubError) -> [String] {
        for name in wanted where !names.contains(name) { throw .noFile(name, repository: repository) }
        return wanted
    }

    /// The files of weights that are in no folder, by name.
    var weights: [String] {
        names.filter { name in
            !name.contains("/") && Self.weightEndings.contains { name.hasSuffix(".\($0)") }
        }.sorted()
    }

    /// What a diffusers pipeline is read from: configurations, tokenizers, and of each component's weights one form; or the
    /// one file of weights that there is.
    ///
    /// - Parameter variant: Components that do not have it are taken without.
    /// - Throws: ``HubError/nothingToPull(repository:weights:)``, ``HubError/noVariant(_:repository:variants:)`` where no
    ///   component has the variant, `ModelFolderError` where one has no weights.
    package func model(variant: String?) throws -> [String] {
        let folders = Dictionary(grouping: names.filter { $0.contains("/") }) {
            String($0[..<$0.firstIndex(of: "/")!])
        }
        if let variant {
            let known = folders.filter { !Self.unused.contains($0.key) }.values.reduce(into: Set<String>()) {
                $0.formUnion(WeightFiles.variants(of: $1.map { ($0 as NSString).lastPathComponent }))
            }
            guard known.contains(variant) else {
                throw HubError.noVariant(variant, repository: repository, variants: known.sorted())
            }
        }
        guard names.contains("model_index.json") else {
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
