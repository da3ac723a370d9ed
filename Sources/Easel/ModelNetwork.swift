import Checkpoints
import Foundation
import Networks
import TensorGraph

/// One of the networks of a model, to be looked at without computing it.
public enum ModelNetwork: String, Sendable, Hashable, CaseIterable {
    case textEncoder = "text-encoder"
    case unet
    case vaeDecoder = "vae-decoder"
    case vaeEncoder = "vae-encoder"

    /// The network of the model in a folder as a graph, for pictures of that size.
    ///
    /// - Parameters:
    ///   - folder: The folder with `model_index.json`.
    ///   - width: In pixels; nil is the model's own.
    ///   - height: In pixels; nil is the model's own.
    ///   - batchSize: The number of pictures at once, from 1 to 64.
    /// - Throws: what ``Model/init(at:engine:precision:)`` throws for the folder, ``RequestError`` for a size,
    ///   `GraphError` where the weights do not fit.
    public func graph(of folder: URL, width: Int? = nil, height: Int? = nil, batchSize: Int = 1) throws
        -> Graph
    {
        let parts = try ModelParts(ModelFolder(at: folder))
        let factor = parts.autoencoder.factor
        guard (1...64).contains(batchSize) else {
            throw RequestError.outOfRange(field: "batch size", value: "\(batchSize)", range: "from 1 to 64")
        }
        let rows = try Request.latentSize(
            axis: "height", pixels: height ?? parts.unet.sampleHeight * factor, factor: factor)
        let columns = try Request.latentSize(
            axis: "width", pixels: width ?? parts.unet.sampleWidth * factor, factor: factor)
        switch self {
        case .textEncoder:
            return try CLIPTextEncoder(parts.textEncoder).graph(
                batch: batchSize, weights: parts.textEncoderWeights)
        case .unet:
            // With guidance each picture is predicted twice, for the negative prompt and for the prompt.
            return try UNet(parts.unet).graph(
                batch: batchSize, passes: 2, height: rows, width: columns,
                tokens: parts.textEncoder.positions,
                weights: parts.unetWeights)
        case .vaeDecoder:
            return try Autoencoder(parts.autoencoder).decoderGraph(
                batch: batchSize, height: rows, width: columns, weights: parts.autoencoderWeights)
        case .vaeEncoder:
            return try Autoencoder(parts.autoencoder).encoderGraph(
                batch: batchSize, height: rows * factor, width: columns * factor,
                weights: parts.autoencoderWeights)
        }
    }
}
