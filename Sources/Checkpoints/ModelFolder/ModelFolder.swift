import Foundation

/// A model in the layout of diffusers: a folder with `model_index.json` and a folder for each component.
///
/// Links are followed, so a snapshot in the Hugging Face cache is such a folder.
public struct ModelFolder: Sendable {
    /// The Python class that a component was saved from.
    public struct Component: Sendable, Hashable {
        /// `diffusers` or `transformers`.
        public let library: String
        /// `UNet2DConditionModel`, `CLIPTextModel`, ….
        public let className: String
    }

    public let url: URL
    /// The pipeline that the model was saved from: `StableDiffusionPipeline`.
    public let pipelineClass: String
    /// The components by their folders' names; those that the model leaves out are not there.
    public let components: [String: Component]
    /// `model_index.json`, for its other settings.
    public let index: Configuration

    /// - Throws: ``ModelFolderError`` where this is not such a folder, ``JSONError`` and ``ConfigurationError``
    ///   where its `model_index.json` cannot be understood.
    public init(at url: URL) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
            throw ModelFolderError.missing(path: url.path)
        }
        guard isFolder.boolValue else { throw ModelFolderError.notAFolder(path: url.path) }
        let indexURL = url.appending(path: "model_index.json")
        guard FileManager.default.fileExists(atPath: indexURL.path) else {
            throw ModelFolderError.noIndex(path: url.path)
        }
        let index = try Configuration(contentsOf: indexURL)
        self.url = url
        self.index = index
        pipelineClass = try index.string("_class_name")
        components = try Self.components(in: index)
    }

    /// The configuration of a component: `config.json`, or `scheduler_config.json` for the scheduler and
    /// `tokenizer_config.json` for a tokenizer.
    ///
    /// - Throws: ``ModelFolderError`` where the component or the file is missing, ``FileError``,
    ///   ``JSONError``, ``ConfigurationError``.
    public func configuration(_ component: String) throws -> Configuration {
        let name =
            if component.hasPrefix("scheduler") {
                "scheduler_config.json"
            } else if component.hasPrefix("tokenizer") {
                "tokenizer_config.json"
            } else {
                "config.json"
            }
        return try Configuration(contentsOf: file(component, name))
    }

    /// The weights of a component.
    ///
    /// - Parameter variant: The files' variant (`fp16`); nil takes the files without one, and only where there
    ///   are none a variant.
    /// - Throws: ``ModelFolderError`` where there are no such weights, and what ``Checkpoint`` throws.
    public func checkpoint(_ component: String, variant: String? = nil) throws -> Checkpoint {
        let weights = WeightFiles(in: try folder(of: component))
        return try Checkpoint(contentsOf: weights.choose(variant))
    }

    /// The weights' file, or the index of several, in a component's folder that stands alone.
    ///
    /// - Throws: ``ModelFolderError`` where there are none.
    public static func weights(inComponent folder: URL) throws -> URL {
        try WeightFiles(in: folder).choose(nil)
    }

    /// A file of a component, which must be there.
    ///
    /// - Throws: ``ModelFolderError``.
    public func file(_ component: String, _ name: String) throws -> URL {
        let file = try folder(of: component).appending(path: name)
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw ModelFolderError.missingFile(
                component: component, folder: file.deletingLastPathComponent().path, lookedFor: [name])
        }
        return file
    }

    /// Whether a component has a file.
    public func hasFile(_ component: String, _ name: String) -> Bool {
        (try? file(component, name)) != nil
    }

    private func folder(of component: String) throws -> URL {
        guard components[component] != nil else {
            throw ModelFolderError.missingComponent(
                component, index: index.path, present: components.keys.sorted())
        }
        let folder = url.appending(path: component)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue
        else { throw ModelFolderError.missingComponentFolder(component, path: folder.path) }
        return folder
    }

    /// Every pair of texts under a plain name is a component; pairs of `null` and other values are not.
    private static func components(in index: Configuration) throws -> [String: Component] {
        var components: [String: Component] = [:]
        for member in index.members.members where !member.key.hasPrefix("_") {
            guard let pair = member.value.arrayValue, pair.count == 2, let library = pair[0].stringValue,
                let className = pair[1].stringValue
            else { continue }
            guard member.key.isPlainFileName else {
                throw ConfigurationError(
                    path: index.path, key: member.key, expected: "under the name of a folder in the model's",
                    actual: "under " + member.key.quoted)
            }
            components[member.key] = Component(library: library, className: className)
        }
        return components
    }
}
