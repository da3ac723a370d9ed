import TensorGraph

extension Autoencoder {
    /// The convolutions of the decoder's residual blocks, which are nearly all of its work.
    ///
    /// Left as they are: the first and the last convolution, the attention of the middle, whose single head is long, and
    /// the convolutions of enlarged pictures, for which engines have a form with fewer multiplications.
    public func quantizedDecoderLayers(of weights: any WeightCatalog) -> Set<String> {
        let ending = ".weight"
        let layers = weights.names.filter { name in
            name.hasPrefix("decoder.") && name.contains(".resnets.") && name.hasSuffix(ending)
                && weights.entry(named: name)?.shape.rank == 4
        }
        return Set(layers.map { String($0.dropLast(ending.count)) })
    }
}
