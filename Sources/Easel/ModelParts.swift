import Checkpoints
import Conditioning
import Foundation
import Networks
import Sampling

/// What a model's folder holds: the sizes of its networks, their weights, its tokenizer and its scheduler.
struct ModelParts: Sendable {
    let tokenizer: CLIPTokenizer
    let scheduler: SchedulerConfiguration
    let textEncoder: CLIPTextConfiguration
    let textEncoderWeights: any WeightStorage
    let unet: UNetConfiguration
    let unetWeights: any WeightStorage
    let autoencoder: AutoencoderConfiguration
    let autoencoderWeights: any WeightStorage

    /// The pipelines whose models this is: text to image with one text encoder.
    static let pipelineClasses = [
        "StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline",
    ]

    /// Whether the U-Net sees a mask and the latents of what stays, beside the latents.
    var isForInpainting: Bool { unet.inputChannels == 2 * unet.outputChannels + 1 }

    /// Reads the configurations and the checkpoints' headers; no weights yet.
    ///
    /// - Throws: what the parts' own readers throw, and ``RequestError/model(_:)`` where they do not fit each
    ///   other or make another kind of picture.
    init(_ folder: ModelFolder) throws {
        func require(_ fits: Bool, _ reason: String) throws(ModelError) {
            guard fits else { throw ModelError(folder: folder.url.path, reason: reason) }
        }
        try require(
            Self.pipelineClasses.contains(folder.pipelineClass),
            "the model is a \(folder.pipelineClass), which is not supported; supported is "
                + Self.pipelineClasses.joined(separator: ", "))
        textEncoder = try CLIPTextConfiguration(folder.configuration("text_encoder"))
        unet = try UNetConfiguration(folder.configuration("unet"))
        autoencoder = try AutoencoderConfiguration(folder.configuration("vae"))
        scheduler = try SchedulerConfiguration(folder.configuration("scheduler"))
            .correctedForStableDiffusion()
        tokenizer = try CLIPTokenizer(folder: folder.url.appending(path: "tokenizer"))
        try tokenizer.check(embeddings: textEncoder.vocabularySize, positions: textEncoder.positions)
        textEncoderWeights = try folder.checkpoint("text_encoder")
        unetWeights = try folder.checkpoint("unet")
        autoencoderWeights = try folder.checkpoint("vae").renamed(by: {
            formerAutoencoderNames[$0] ?? $0
        })

        try require(
            unet.contextWidth == textEncoder.width,
            "the U-Net's cross_attention_dim is \(unet.contextWidth), the text encoder's hidden_size \(textEncoder.width)"
        )
        try require(
            unet.outputChannels == autoencoder.latentChannels,
            "the U-Net's out_channels is \(unet.outputChannels), the autoencoder's latent_channels \(autoencoder.latentChannels)"
        )
        try require(
            unet.inputChannels == unet.outputChannels || isForInpainting,
            "the U-Net's in_channels is \(unet.inputChannels), where text to image takes \(unet.outputChannels) "
                + "and inpainting \(2 * unet.outputChannels + 1); models for editing pictures are not supported"
        )
    }
}

/// Why the parts of a model do not make one.
public struct ModelError: Error, Sendable, Hashable, CustomStringConvertible {
    public let folder: String
    public let reason: String
    public var description: String { "\(folder): \(reason)" }
}
