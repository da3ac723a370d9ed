import Checkpoints
import Conditioning
import Foundation
import Networks
import Sampling

/// What a model is made of: the sizes of its networks, their weights, its tokenizer and its scheduler.
struct ModelParts: Sendable {
    let tokenizer: CLIPTokenizer
    let scheduler: SchedulerConfiguration
    /// Their embeddings stand side by side.
    let textEncoders: [TextEncoderPart]
    let unet: UNetConfiguration
    let unetWeights: any WeightStorage
    /// Whether the file has some of them with few bits, in blocks.
    let isInBlocks: Bool
    let autoencoder: any PictureAutoencoder
    let autoencoderWeights: any WeightStorage
    /// Whether an empty negative prompt is no embedding at all, instead of the empty text's.
    let zeroesEmptyPrompt: Bool

    /// The pipelines whose models this is.
    static let pipelineClasses = [
        "StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline",
        "StableDiffusionInstructPix2PixPipeline", "StableDiffusionDepth2ImgPipeline",
        "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLInpaintPipeline",
        "LatentConsistencyModelPipeline", "LatentConsistencyModelImg2ImgPipeline",
    ]

    /// What the U-Net sees beside the latents; none for text to image.
    let sight: Sight?

    /// What a U-Net may see beside the latents.
    enum Sight: Sendable {
        /// A mask, and the latents of what stays: inpainting.
        case maskedPicture
        /// The latents of a picture that is edited as the prompt says (Brooks et al., "InstructPix2Pix", 2023).
        case picture
        /// How far away things are.
        case depth

        /// How many channels it has.
        func channels(latent: Int) -> Int {
            switch self {
            case .maskedPicture: latent + 1
            case .picture: latent
            case .depth: 1
            }
        }
    }

    var isForInpainting: Bool { sight == .maskedPicture }

    /// Why the autoencoder makes no latents of pictures: it is a decoder alone; nil where it does.
    var encoderMissing: String? {
        guard !autoencoderWeights.names.contains(where: { $0.hasPrefix("encoder.") }) else { return nil }
        let file = URL(filePath: autoencoderWeights.origin)
        let name = TinyAutoencoderNames.fileName(of: .encoder, beside: file.lastPathComponent)
        return "its autoencoder, \(file.path), is a decoder alone"
            + (name.map { ": put \($0) beside it" } ?? "; take one that has an encoder too")
    }

    /// How many ids a text encoder reads at once.
    var positions: Int { textEncoders[0].configuration.positions }

    /// The size of the prompt's pooled embedding, where the U-Net is told of it.
    var pooledWidth: Int { textEncoders[textEncoders.count - 1].configuration.projectionWidth }

    /// How many numbers the U-Net is told of a picture's size: 6, 5 with an aesthetic score, or none.
    var sizeNumberCount: Int { unet.addition?.numberCount(pooledWidth: pooledWidth) ?? 0 }

    /// The autoencoder of either kind that a configuration is of.
    static func autoencoder(_ stored: Configuration) throws -> any PictureAutoencoder {
        try stored.optionalString("_class_name") == "AutoencoderTiny"
            ? try TinyAutoencoder(stored) : Autoencoder(try AutoencoderConfiguration(stored))
    }

    /// Reads the configurations; no weights yet.
    ///
    /// - Throws: `ConfigurationError`, `TokenizerError`, and ``ModelError`` where the parts do not fit each other or make
    ///   another kind of picture.
    init(_ model: ModelComponents) throws {
        func require(_ fits: Bool, _ reason: String) throws(ModelError) {
            guard fits else { throw ModelError(model: model.origin, reason: reason) }
        }
        try require(
            Self.pipelineClasses.contains(model.pipelineClass),
            "the model is a \(model.pipelineClass), which is not supported; supported is "
                + Self.pipelineClasses.joined(separator: ", "))
        let unet = try UNetConfiguration(model.unet.configuration)
        try require(
            (unet.addition != nil) == model.pipelineClass.hasPrefix("StableDiffusionXL"),
            "the model is a \(model.pipelineClass), but its U-Net is "
                + (unet.addition == nil ? "not of that kind" : "one of Stable Diffusion XL"))
        autoencoder = try Self.autoencoder(model.autoencoder.configuration)
        scheduler = try SchedulerConfiguration(model.scheduler).correctedForStableDiffusion()
        tokenizer = model.tokenizers[0]
        textEncoders = try model.textEncoders.enumerated().map { index, component in
            let isLast = index == model.textEncoders.count - 1
            return try TextEncoderPart(
                component, tokenizer: model.tokenizers[index],
                source: model.tokenizerSources[index].url.path, isOfXL: unet.addition != nil,
                pools: unet.addition != nil && isLast)
        }
        self.unet = unet
        let latent = unet.outputChannels
        sight = [.maskedPicture, .picture, .depth].first {
            unet.inputChannels == latent + $0.channels(latent: latent)
        }
        unetWeights = model.unet.weights
        isInBlocks = model.isInBlocks
        autoencoderWeights = model.autoencoder.weights
        zeroesEmptyPrompt = unet.addition != nil && model.zeroesEmptyPrompt

        let widths = textEncoders.map(\.configuration.width)
        try require(
            unet.contextWidth == widths.reduce(0, +),
            "the U-Net's cross_attention_dim is \(unet.contextWidth), the text encoder's hidden_size "
                + widths.map { "\($0)" }.joined(separator: " and "))
        try require(
            Set(textEncoders.map(\.configuration.positions)).count == 1,
            "the text encoders read different numbers of tokens")
        try require(
            unet.outputChannels == autoencoder.latentChannels,
            "the U-Net's out_channels is \(unet.outputChannels), the autoencoder's latent_channels "
                + "\(autoencoder.latentChannels) (\(autoencoderWeights.origin))"
        )
        try require(
            sight != nil || unet.inputChannels == latent,
            "the U-Net's in_channels is \(unet.inputChannels), where text to image takes \(latent), depth to image "
                + "\(latent + 1), editing \(2 * latent) and inpainting \(2 * latent + 1)")
        try require(
            unet.addition == nil || (5...6).contains(sizeNumberCount),
            "the U-Net's projection_class_embeddings_input_dim does not fit the text encoder's projection_dim, "
                + "\(pooledWidth)")
    }
}

/// A text encoder, and what of it the U-Net attends to.
struct TextEncoderPart: Sendable {
    let configuration: CLIPTextConfiguration
    let weights: any WeightStorage
    /// What prompts are filled up with.
    let padding: Int32
    let end: Int32
    /// Stable Diffusion XL attends to the last layer but one, as it is; the others to the last, normalized.
    private let isOfXL: Bool
    /// Whether the U-Net is told its pooled embedding.
    let pools: Bool

    /// How many layers can be taken.
    var layers: Int { configuration.layers - (isOfXL ? 1 : 0) }

    /// - Parameter source: Where the tokenizer is from.
    init(
        _ component: ModelComponents.Component, tokenizer: CLIPTokenizer, source: String, isOfXL: Bool,
        pools: Bool
    ) throws {
        configuration = try CLIPTextConfiguration(component.configuration)
        weights = component.weights
        try tokenizer.check(
            embeddings: configuration.vocabularySize, positions: configuration.positions, source: source,
            textEncoder: weights.origin)
        padding = tokenizer.paddingToken
        end = tokenizer.endToken
        self.isOfXL = isOfXL
        self.pools = pools
    }

    /// - Parameter clipSkip: 1 for what the model was trained with.
    func options(clipSkip: Int, hidesTokens: Bool, learnsWords: Bool) -> CLIPTextEncoder.Options {
        var options = CLIPTextEncoder.Options()
        options.skippedLayers = clipSkip - 1 + (isOfXL ? 1 : 0)
        options.normalizesEmbeddings = !isOfXL
        options.pools = pools
        options.hidesTokens = hidesTokens
        options.learnsWords = learnsWords
        return options
    }

    /// A chunk's ids as this encoder takes them: filled up with its own padding.
    func ids(of chunk: PromptChunk) -> [Int32] {
        let end = min(chunk.count + 2, chunk.ids.count)
        return chunk.ids[..<end] + Array(repeating: padding, count: chunk.ids.count - end)
    }
}

/// Why the parts of a model do not make one.
public struct ModelError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The folder's or the file's path.
    public let model: String
    public let reason: String
    public var description: String { "\(model): \(reason)" }
}
