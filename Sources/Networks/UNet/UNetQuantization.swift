import TensorGraph

extension UNet {
    /// The paths of the layers that are computed with integers of 8 bits where that is asked for: the matrix products and
    /// convolutions of the levels and the middle, which are nearly all of the work.
    ///
    /// Left as they are: the first and the last convolution and the embeddings of the timestep, on which all else
    /// depends; the keys and values of the text, which are few; and the convolutions of enlarged pictures, for which
    /// engines have a form with fewer multiplications.
    public static func quantizedLayers(of weights: some WeightCatalog) -> Set<String> {
        levelLayers(of: weights).filter { layer in
            ![".time_emb_proj", ".attn2.to_k", ".attn2.to_v", ".upsamplers.0.conv"].contains {
                layer.hasSuffix($0)
            }
        }
    }

    /// The paths of the linear layers of the levels and the middle, whose weights engines can keep as integers of 8 bits in
    /// groups while they compute in floating-point numbers.
    public static func linearLayers(of weights: some WeightCatalog) -> Set<String> {
        levelLayers(of: weights).filter {
            weights.entry(named: $0 + ".weight")?.shape.rank == 2 && !$0.hasSuffix(".time_emb_proj")
        }
    }

    /// All layers of matrices and kernels in the levels and the middle.
    private static func levelLayers(of weights: some WeightCatalog) -> Set<String> {
        let ending = ".weight"
        let layers = weights.names.filter { name in
            ["down_blocks.", "mid_block.", "up_blocks."].contains { name.hasPrefix($0) }
                && name.hasSuffix(ending) && (weights.entry(named: name)?.shape.rank ?? 0) >= 2
        }
        return Set(layers.map { String($0.dropLast(ending.count)) })
    }
}
