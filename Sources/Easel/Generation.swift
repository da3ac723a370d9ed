import Foundation
import Imaging
import Sampling

/// What is told of a request while it is worked on, in order.
public enum GenerationEvent: Sendable {
    /// A stage begins.
    case stage(Stage)
    /// Something that the user should know, which did not stop the work.
    case warning(Warning)
    /// The sampler has advanced the latents.
    case step(Step)
    /// A picture is ready.
    case finished(GeneratedPicture)
}

/// The parts of the work, in order; those after the first repeat for each batch of pictures.
public enum Stage: String, Sendable, Hashable, CaseIterable {
    /// For int8: between which numbers the U-Net's activations lie is looked up, or measured.
    case calibrating = "calibrate"
    /// The text encoder is made ready.
    case loadingTextEncoder = "load_text_encoder"
    /// The prompts become embeddings.
    case encodingPrompt = "encode_prompt"
    /// The U-Net is made ready.
    case loadingUNet = "load_unet"
    /// The encoder is made ready, where a picture is started from.
    case loadingEncoder = "load_encoder"
    /// The picture becomes latents.
    case encodingPicture = "encode_picture"
    /// Noise becomes latents.
    case denoising = "denoise"
    /// The decoder is made ready.
    case loadingDecoder = "load_decoder"
    /// Latents become pictures.
    case decoding = "decode"
}

/// One advance of the sampler.
public struct Step: Sendable {
    /// From 0.
    public let index: Int
    public let count: Int
    /// The index in the request of the first picture of the batch.
    public let picture: Int
    public let timestep: Float
    /// The latents after the step.
    public let latents: Latents
    /// What the pictures of the batch are going to be, small: a pixel a latent cell, its colour estimated. Empty but for
    /// the steps that ``Request/previewInterval`` asks for.
    public let previews: [Image]

    /// The first picture's preview.
    public var preview: Image? { previews.first }

    /// - Parameter picture: The index in the request of the first picture of the batch.
    init(_ step: DenoisingStep, picture: Int, previews: [Image] = []) {
        index = step.index
        count = step.count
        self.picture = picture
        timestep = step.timestep
        latents = step.latents
        self.previews = previews
    }
}

/// Something that the user should know.
public enum Warning: Sendable, Hashable, CustomStringConvertible {
    /// The prompt is longer than the text encoder takes; the rest was left out.
    case promptCut(field: String, tokens: Int, text: String)
    /// The mask was brought to the picture's size.
    case maskResized(fromWidth: Int, fromHeight: Int, toWidth: Int, toHeight: Int)
    /// The model's own sampler is not one that Easel has.
    case samplerReplaced(named: String, by: String)
    /// The model's name, or a LoRA's, says that it was made for few steps with little guidance, and the request has more:
    /// ``Model/defaults(for:)`` are the settings that it is made for.
    case distilledModel(word: String, steps: Int, guidanceScale: Float)
    /// A LoRA changes layers that the model does not have, beside those that it has.
    case loraLayersUnknown(file: String, layers: [String])
    /// A LoRA's file has tensors of which it is not known what they change; they are left out.
    case loraTensorsUnknown(file: String, tensors: [String])
    /// A LoRA's word, or a file of the embedding folders, is named in a prompt, but cannot be used; its name is text.
    case embeddingLeftOut(reason: String)
    /// A tensor of the checkpoint has values that are not finite numbers; it is the first such.
    case notFiniteWeights(file: String, tensor: String)
    /// The decoder gave values that are not numbers in half precision, and ran again in full.
    case decodedInFullPrecision

    public var description: String {
        switch self {
        case .promptCut(let field, let tokens, let text):
            "the \(field) is too long for the text encoder: \(tokens) tokens were left out: \""
                + (text.count > 80 ? text.prefix(80) + "…" : text) + "\""
        case .maskResized(let fromWidth, let fromHeight, let toWidth, let toHeight):
            "the mask of \(fromWidth)×\(fromHeight) pixels was resized to the picture's \(toWidth)×\(toHeight)"
        case .samplerReplaced(let named, let by):
            "the model's own sampler \(named) is not available; \(by) is used"
        case .distilledModel(let word, let steps, let scale):
            "the model's name, or a LoRA's, says \(word): such models are for few steps with little guidance, as they are "
                + "taken where no option says otherwise; this has \(steps) steps at \(scale)"
        case .loraLayersUnknown(let file, let layers):
            "\(file): the model does not have \(layers.count) of the layers that it changes "
                + "(\(layers.prefix(5).joined(separator: ", "))\(layers.count > 5 ? ", …" : ""))"
        case .loraTensorsUnknown(let file, let tensors):
            "\(file): it is not known what \(tensors.count) of its tensors change; they are left out "
                + "(\(tensors.prefix(5).joined(separator: ", "))\(tensors.count > 5 ? ", …" : ""))"
        case .embeddingLeftOut(let reason): reason + "; its name in the prompt is text"
        case .notFiniteWeights(let file, let tensor):
            "\(file): the weights \"\(tensor)\" have values that are not finite numbers; the file may be damaged"
        case .decodedInFullPrecision:
            "the decoder gave values that are not numbers in half precision, and ran again in f32"
        }
    }
}

/// A picture with the settings that made it.
public struct GeneratedPicture: Sendable {
    /// The index in the request, from 0.
    public let index: Int
    public let seed: UInt64
    /// The name of the sampler that was used.
    public let sampler: String
    public let image: Image
    public let metadata: GenerationMetadata
    /// Everything that was asked for, to make the same again.
    public let record: GenerationRecord
    /// The latents that the picture was decoded from.
    public let latents: Latents
    /// How memory was used: never ``MemoryMode/automatic``, but what it came to.
    public let memory: MemoryMode
    /// How much memory the process was expected to take at most, in bytes.
    public let memoryEstimate: Int
    /// How long each stage took, from the request's start until this picture: those of earlier batches included.
    public let timings: [Stage: Duration]

    /// The picture with its settings in AUTOMATIC1111's words and its record as JSON.
    public var file: PictureFile {
        PictureFile(image, notes: PictureNotes(parameters: metadata.parameters, record: record.json))
    }

    /// Writes the picture with its settings, as PNG, JPEG or WebP by the file's ending. The file appears whole or not at
    /// all.
    ///
    /// - Parameter quality: Of JPEG and WebP, from 1 to 100.
    /// - Throws: `ImageError` where it cannot be written.
    public func write(to file: URL, quality: Int = PictureFormat.defaultQuality) throws {
        try self.file.write(to: file, quality: quality)
    }

    /// Writes the picture to the file of that path.
    public func write(to path: String) throws { try write(to: URL(filePath: path)) }
}
