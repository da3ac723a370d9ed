import Checkpoints
import TensorGraph

/// The two networks between pictures and latents, and how latents are scaled.
public protocol PictureAutoencoder: Sendable {
    var latentChannels: Int { get }
    /// The number of pixels in a latent cell's side.
    var factor: Int { get }
    /// What latents are multiplied by after encoding, to have about unit variance.
    var scalingFactor: Float { get }
    /// What is taken from latents before they are scaled.
    var shiftFactor: Float { get }
    /// Whether the encoder gives a distribution that latents are drawn from; else it gives the latents.
    var drawsLatents: Bool { get }

    /// The decoder as a graph: unscaled `latents` `[batch, latentChannels, height, width]`, sizes in latent cells, to
    /// `pictures` `[batch, 3, factor · height, factor · width]` in −1…1.
    ///
    /// - Throws: `GraphError` where the checkpoint does not fit.
    func decoderGraph(batch: Int, height: Int, width: Int, weights: any WeightCatalog) throws -> Graph

    /// The encoder as a graph: `pictures` `[batch, 3, height, width]` in −1…1, sizes in pixels, to `moments`
    /// `[batch, latentChannels, height / factor, width / factor]`, the unscaled latents; of a distribution
    /// `[batch, 2 · latentChannels, …]`, their means and then the logarithms of their variances.
    ///
    /// - Throws: `GraphError` where the checkpoint does not fit.
    func encoderGraph(batch: Int, height: Int, width: Int, weights: any WeightCatalog) throws -> Graph

    /// The paths of the decoder's layers that are computed with integers of 8 bits where that is asked for.
    func quantizedDecoderLayers(of weights: any WeightCatalog) -> Set<String>
}

extension PictureAutoencoder {
    /// Latents as the decoder takes them.
    public func unscaled(_ latents: [Float]) -> [Float] { latents.map { $0 / scalingFactor + shiftFactor } }
}

extension Autoencoder: PictureAutoencoder {
    public var latentChannels: Int { configuration.latentChannels }
    public var factor: Int { configuration.factor }
    public var scalingFactor: Float { configuration.scalingFactor }
    public var shiftFactor: Float { configuration.shiftFactor }
    public var drawsLatents: Bool { true }
}
