import TensorGraph

extension UNet {
    /// The paths of the layers that are computed with integers of 8 bits where that is asked for: the matrix products and
    /// convolutions of the levels and the middle, which are nearly all of the work.
    ///
    /// Left as they are: the first and the last convolution and the embeddings of the timestep, on which all else
    /// depends; the keys and values of the text, which are few; and what measures as sensitive: what attention adds on the
    /// way up, and the layers of 1×1 that lead to the last level's sums. Those are a twentieth of the work, and integers
    /// there, too, nearly double the error (`Benchmarks/README.md`).
    public static func quantizedLayers(of weights: some WeightCatalog) -> Set<String> {
        let layers = levelLayers(of: weights)
        let lastLevel = layers.compactMap(levelOnTheWayUp).max()
        return layers.filter { layer in
            func ends(with endings: [String]) -> Bool { endings.contains { layer.hasSuffix($0) } }
            if ends(with: [".time_emb_proj", ".attn2.to_k", ".attn2.to_v"]) { return false }
            guard let level = levelOnTheWayUp(layer) else { return true }
            let sensitive = [".conv_shortcut", ".ff.net.2", ".proj_in", ".proj_out"]
            return !ends(with: [".to_out.0"]) && !(level == lastLevel && ends(with: sensitive))
        }
    }

    /// The number in `up_blocks.3.resnets.0.conv1`; nil for layers of the way down and the middle.
    private static func levelOnTheWayUp(_ layer: String) -> Int? {
        let parts = layer.split(separator: ".", maxSplits: 2)
        return parts.count == 3 && parts[0] == "up_blocks" ? Int(parts[1]) : nil
    }

    /// The paths of the linear layers of the levels and the middle, whose weights engines can keep as integers of 8 or 4 bits in
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
