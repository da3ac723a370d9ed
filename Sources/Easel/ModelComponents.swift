import Checkpoints
import Conditioning
import Foundation
import Networks

/// A model's components as diffusers has them, wherever they come from: configurations, and weights under diffusers'
/// names.
struct ModelComponents: Sendable {
    struct Component: Sendable {
        /// What `config.json` says.
        let configuration: Configuration
        let weights: any WeightStorage
    }

    /// The folder's or the file's path.
    let origin: String
    /// Of a file; nil for a folder.
    let fileFormat: CheckpointFormat?
    /// Whether a file's U-Net has matrices of few bits, in blocks.
    let isInBlocks: Bool
    /// What a file's notes call it; empty where they do not.
    let title: String
    /// diffusers' pipeline: `StableDiffusionPipeline`.
    let pipelineClass: String
    var unet: Component
    var autoencoder: Component
    /// In the order in which their embeddings stand side by side.
    var textEncoders: [Component]
    /// One for each text encoder.
    let tokenizers: [CLIPTokenizer]
    /// Where each is from: a folder, or a file of merges.
    let tokenizerSources: [(url: URL, padsWithFirst: Bool)]
    let scheduler: Configuration
    /// `force_zeros_for_empty_prompt`, for Stable Diffusion XL.
    let zeroesEmptyPrompt: Bool

    /// Opens a folder or a file.
    ///
    /// - Parameter vocabulary: For a file; nil looks where Easel is installed.
    /// - Throws: What the parts' own readers throw.
    init(at location: URL, vocabulary: URL? = nil) throws {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: location.path, isDirectory: &isFolder)
        guard exists, !isFolder.boolValue else {
            self = try ModelComponents(ModelFolder(at: location))
            return
        }
        let file = try SingleFile(Checkpoint(contentsOf: location))
        self = try ModelComponents(file, vocabulary: vocabulary ?? CLIPVocabulary.installed())
    }

    /// The folder's name, or the file's without its ending.
    var name: String {
        let url = URL(filePath: origin).standardizedFileURL
        return fileFormat != nil ? url.deletingPathExtension().lastPathComponent : Self.folderName(url)
    }

    /// A folder's name; of a snapshot in the hub's cache, whose own is a commit's, that of the repository.
    static func folderName(_ folder: URL) -> String {
        let folder = folder.standardizedFileURL
        let snapshots = folder.deletingLastPathComponent()
        let repository = snapshots.deletingLastPathComponent().lastPathComponent
        guard snapshots.lastPathComponent == "snapshots", repository.hasPrefix("models--") else {
            return folder.lastPathComponent
        }
        return repository.components(separatedBy: "--").last ?? repository
    }

    /// Reads the configurations and the checkpoints' headers of diffusers' folder layout; no weights yet.
    ///
    /// - Throws: `ModelFolderError`, and what the parts' own readers throw.
    init(_ folder: ModelFolder) throws {
        if let other = Self.otherFamily(folder) {
            throw ModelError(
                model: folder.url.path,
                reason: "this is \(other) (\(folder.pipelineClass)), which is not supported")
        }
        func component(_ name: String) throws -> Component {
            Component(configuration: try folder.configuration(name), weights: try folder.checkpoint(name))
        }
        origin = folder.url.path
        fileFormat = nil
        isInBlocks = false
        title = ""
        pipelineClass = folder.pipelineClass
        unet = try component("unet")
        let stored = try component("vae")
        autoencoder = Component(
            configuration: stored.configuration,
            weights: try stored.weights.renamed(by: { formerAutoencoderNames[$0] ?? $0 }))
        // The refiner has the second one alone.
        let all = ["", "_2"].filter { folder.components["text_encoder\($0)"] != nil }
        let suffixes = all.isEmpty ? [""] : all
        textEncoders = try suffixes.map { try component("text_encoder\($0)") }
        tokenizerSources = suffixes.map { (folder.url.appending(path: "tokenizer\($0)"), false) }
        tokenizers = try tokenizerSources.map { try CLIPTokenizer(folder: $0.url) }
        zeroesEmptyPrompt = try folder.index.bool("force_zeros_for_empty_prompt", default: true)
        scheduler = try folder.configuration("scheduler")
    }

    /// The name of a family that is not here, by the parts that only it has.
    private static func otherFamily(_ folder: ModelFolder) -> String? {
        func has(_ name: String) -> Bool { folder.components[name] != nil }
        let readsText = has("text_encoder") || has("text_encoder_2")
        if has("transformer") { return "a model with a transformer in place of the U-Net" }
        if has("image_normalizer") || has("image_noising_scheduler") { return "a Stable unCLIP model" }
        if has("low_res_scheduler") { return "an upscaler" }
        if has("image_encoder"), !readsText { return "an image variations model" }
        if has("controlnet") { return "a model with a ControlNet" }
        return nil
    }

    /// Finds the components of a whole model in one file.
    ///
    /// - Parameter vocabulary: CLIP's, which such files do not have: a `tokenizer` folder, or a file of merges.
    /// - Throws: ``ModelError`` where they are not there, or are those of another family.
    init(_ file: SingleFile, vocabulary: URL) throws {
        origin = file.origin
        fileFormat = file.format
        isInBlocks = file.isInBlocks
        title = file.title
        pipelineClass = file.family.pipelineClass
        unet = try file.unet()
        autoencoder = try file.autoencoder()
        textEncoders = try file.textEncoders()
        tokenizerSources = file.encoders.map { (vocabulary, $0.layout.isOpenCLIP) }
        // They differ in what they fill prompts up with alone.
        let tokenizer = try CLIPTokenizer(vocabulary: vocabulary, padsWithFirst: false)
        tokenizers = tokenizerSources.map { tokenizer.padding(withFirst: $0.padsWithFirst) }
        scheduler = file.scheduler
        // As the families' own folders say.
        zeroesEmptyPrompt = file.family == .stableDiffusionXL
    }
}

extension CLIPTokenizer {
    /// The tokenizer of a model, of its first text encoder where it has two.
    ///
    /// - Parameters:
    ///   - location: The model's folder or file.
    ///   - vocabulary: CLIP's vocabulary for a single file; nil takes the one that was installed.
    /// - Throws: What ``Model/init(at:engine:precision:vocabulary:vae:)`` throws for the model.
    public init(ofModelAt location: URL, vocabulary: URL? = nil) throws {
        self = try ModelComponents(at: location, vocabulary: vocabulary).tokenizers[0]
    }
}
