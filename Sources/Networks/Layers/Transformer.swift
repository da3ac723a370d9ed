import TensorGraph

/// Attention over a picture's cells, to each other and to the text: `[N, C, h, w] → [M, C, h, w]`.
///
/// diffusers' `Transformer2DModel`, section 3.3 of Rombach et al. 2022.
///
/// - Parameters:
///   - context: The text's embeddings `[M, tokens, D]`, where M is a multiple of N: each N of them are one pass over
///     all pictures.
///   - perturbed: How many of the last pictures' cells attend to themselves alone, instead of to each other.
///   - mergedShare: How many of the cells are merged where they attend to each other, from 0 to 0.75.
func spatialTransformer(
    _ x: Tensor, context: Tensor, perturbed: Int = 0, mergedShare: Double = 0, heads: Int, layers: Int,
    groups: Int,
    usesLinearProjection: Bool,
    _ weights: WeightScope
) -> Tensor {
    let x = perturbed > 0 ? repeated(x, toBatch: context.size(0)) : x
    let (channels, height, width) = (x.size(1), x.size(2), x.size(3))
    let cells: Shape = [x.size(0), height * width, channels]
    func flattened(_ x: Tensor) -> Tensor { reshape(transpose(x, [0, 2, 3, 1]), cells) }
    func restored(_ x: Tensor) -> Tensor {
        transpose(reshape(x, [x.size(0), height, width, channels]), [0, 3, 1, 2])
    }

    var hidden = groupNorm(x, groups: groups, epsilon: 1e-6, weights["norm"])
    hidden =
        usesLinearProjection
        ? linear(flattened(hidden), to: channels, weights["proj_in"])
        : flattened(convolution(hidden, to: channels, size: 1, weights["proj_in"]))
    for index in 0..<layers {
        hidden = transformerBlock(
            hidden, height: height, width: width, context: context, perturbed: perturbed,
            mergedShare: mergedShare, heads: heads, weights["transformer_blocks", index])
    }
    hidden =
        usesLinearProjection
        ? restored(linear(hidden, to: channels, weights["proj_out"]))
        : convolution(restored(hidden), to: channels, size: 1, weights["proj_out"])
    return hidden + repeated(x, toBatch: hidden.size(0))
}

/// All of `[N, …]` one or more times, to `[batch, …]`.
func repeated(_ x: Tensor, toBatch batch: Int) -> Tensor {
    let count = batch / x.size(0)
    return count == 1 ? x : concatenate(Array(repeating: x, count: count), axis: 0)
}

/// Self-attention, cross-attention and a gated feed-forward layer, each beside a shortcut:
/// `[N, cells, C] → [M, cells, C]`; diffusers' `BasicTransformerBlock`.
private func transformerBlock(
    _ x: Tensor, height: Int, width: Int, context: Tensor, perturbed: Int, mergedShare: Double, heads: Int,
    _ weights: WeightScope
) -> Tensor {
    let channels = x.size(-1)
    func attend(_ x: Tensor, to context: Tensor, _ weights: WeightScope) -> Tensor {
        multiHeadAttention(
            x, context: context, heads: heads, bias: false, names: ("to_q", "to_k", "to_v", "to_out.0"),
            weights)
    }
    let normalized = layerNorm(x, weights["norm1"])
    let others = normalized.size(0) - perturbed
    var attended: [Tensor] = []
    if others > 0 {
        func part(_ x: Tensor) -> Tensor { perturbed == 0 ? x : slice(x, axis: 0, 0..<others) }
        let own = part(normalized)
        if TokenMerging.mergedCount(height: height, width: width, ratio: mergedShare) > 0 {
            let merging = TokenMerging(
                part(x), height: height, width: width, ratio: mergedShare, weights.builder)
            let merged = merging.merged(own)
            attended.append(merging.restored(attend(merged, to: merged, weights["attn1"])))
        } else {
            attended.append(attend(own, to: own, weights["attn1"]))
        }
    }
    if perturbed > 0 {
        let part = slice(normalized, axis: 0, others..<normalized.size(0))
        attended.append(attendToSelf(part, weights["attn1"]))
    }
    var x = x + (attended.count == 1 ? attended[0] : concatenate(attended, axis: 0))
    x = repeated(x, toBatch: context.size(0))
    x = x + attend(layerNorm(x, weights["norm2"]), to: context, weights["attn2"])
    let gated = geglu(linear(layerNorm(x, weights["norm3"]), to: 8 * channels, weights["ff.net.0.proj"]))
    return x + linear(gated, to: channels, weights["ff.net.2"])
}

/// Attention whose weights are the identity: each cell takes its own value.
private func attendToSelf(_ x: Tensor, _ weights: WeightScope) -> Tensor {
    let values = linear(x, to: x.size(-1), bias: false, weights["to_v"])
    return linear(values, to: x.size(-1), weights["to_out.0"])
}
