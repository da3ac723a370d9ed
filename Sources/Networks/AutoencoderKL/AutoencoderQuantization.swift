import TensorGraph

extension Autoencoder {
    /// The convolutions of the decoder's residual blocks and of enlarged pictures, which are nearly all of its work.
    ///
    /// Left as they are: the first and the last convolution, and the attention of the middle, whose single head is long.
    public func quantizedDecoderLayers(of weights: any WeightCatalog) -> Set<String> {
        let ending = ".weight"
        let layers = weights.names.filter { name in
            name.hasPrefix("decoder.") && name.hasSuffix(ending)
                && [".resnets.", ".upsamplers."].contains { name.contains($0) }
                && weights.entry(named: name)?.shape.rank == 4
        }
        return Set(layers.map { String($0.dropLast(ending.count)) })
    }
}
