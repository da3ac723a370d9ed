import Checkpoints
import Foundation
import Networks
import TensorGraph

/// One of the networks of a model, to be looked at without computing it.
public enum ModelNetwork: String, Sendable, Hashable, CaseIterable {
    case textEncoder = "text-encoder"
    /// Stable Diffusion XL's other one.
    case secondTextEncoder = "text-encoder-2"
    case unet
    case vaeDecoder = "vae-decoder"
    case vaeEncoder = "vae-encoder"

    /// A model's network as a graph, for pictures of that size.
    ///
    /// - Parameters:
    ///   - location: The model's folder or file.
    ///   - width: In pixels; nil is the model's own.
    ///   - height: In pixels; nil is the model's own.
    ///   - batchSize: The number of pictures at once, from 1 to 64.
    /// - Throws: what ``Model/init(at:engine:precision:)`` throws for the model, ``RequestError`` for a size,
    ///   `GraphError` where the weights do not fit.
    public func graph(of location: URL, width: Int? = nil, height: Int? = nil, batchSize: Int = 1) throws
        -> Graph
    {
        let parts = try ModelParts(ModelComponents(at: location))
        let factor = parts.autoencoder.factor
        guard (1...64).contains(batchSize) else {
            throw RequestError.outOfRange(field: "batch size", value: "\(batchSize)", range: "from 1 to 64")
        }
        let rows = try Request.latentSize(
            axis: "height", pixels: height ?? parts.unet.sampleHeight * factor, factor: factor)
        let columns = try Request.latentSize(
            axis: "width", pixels: width ?? parts.unet.sampleWidth * factor, factor: factor)
        return try graph(parts, height: rows, width: columns, batchSize: batchSize)
    }

    /// - Parameters:
    ///   - height: In latent cells.
    ///   - width: In latent cells.
    func graph(_ parts: ModelParts, height rows: Int, width columns: Int, batchSize: Int = 1) throws -> Graph
    {
        let factor = parts.autoencoder.factor
        switch self {
        case .textEncoder:
            return try parts.textEncoders[0].graph(batch: batchSize)
        case .secondTextEncoder:
            guard parts.textEncoders.count > 1 else {
                throw ModelError(
                    model: parts.unetWeights.origin, reason: "the model has one text encoder only")
            }
            return try parts.textEncoders[1].graph(batch: batchSize)
        case .unet:
            // With guidance each picture is predicted twice, for the negative prompt and for the prompt.
            return try UNet(parts.unet).graph(
                batch: batchSize, passes: 2, height: rows, width: columns,
                tokens: parts.positions, pooledWidth: parts.pooledWidth,
                weights: parts.unetWeights)
        case .vaeDecoder:
            return try parts.autoencoder.decoderGraph(
                batch: batchSize, height: rows, width: columns, weights: parts.autoencoderWeights)
        case .vaeEncoder:
            return try parts.autoencoder.encoderGraph(
                batch: batchSize, height: rows * factor, width: columns * factor,
                weights: parts.autoencoderWeights)
        }
    }
}

extension TextEncoderPart {
    fileprivate func graph(batch: Int) throws -> Graph {
        try CLIPTextEncoder(configuration).graph(
            batch: batch, options: options(clipSkip: 1, hidesTokens: false, learnsWords: false),
            weights: weights)
    }
}
