import TensorGraph

extension UNet {
    /// The paths of the layers that are computed with integers of 8 bits where that is asked for: the matrix products and
    /// convolutions of the levels and the middle, which are nearly all of the work.
    ///
    /// Left as they are: the first and the last convolution and the embeddings of the timestep, on which all else
    /// depends; the keys and values of the text, which are few; and the convolutions of enlarged pictures, for which
    /// engines have a form with fewer multiplications.
    public static func quantizedLayers(of weights: some WeightCatalog) -> Set<String> {
        let ending = ".weight"
        let layers = weights.names.filter { name in
            ["down_blocks.", "mid_block.", "up_blocks."].contains { name.hasPrefix($0) }
                && name.hasSuffix(ending) && (weights.entry(named: name)?.shape.rank ?? 0) >= 2
                && ![
                    ".time_emb_proj.weight", ".attn2.to_k.weight", ".attn2.to_v.weight",
                    ".upsamplers.0.conv.weight",
                ].contains { name.hasSuffix($0) }
        }
        return Set(layers.map { String($0.dropLast(ending.count)) })
    }
}
