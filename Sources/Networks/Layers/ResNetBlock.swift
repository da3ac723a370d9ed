import TensorGraph

/// How group normalisation is done throughout a network.
struct GroupNormalization: Sendable, Hashable {
    let groups: Int
    let epsilon: Float

    func callAsFunction(_ x: Tensor, _ weights: WeightScope) -> Tensor {
        groupNorm(x, groups: groups, epsilon: epsilon, weights)
    }
}

/// Two convolutions beside a shortcut (He et al. 2016), with the time embedding, where there is one, added
/// between them: `[N, C, h, w] → [N, channels, h, w]`.
///
/// diffusers' `ResnetBlock2D`.
func resNetBlock(
    _ x: Tensor, to channels: Int, time: Tensor? = nil, norm: GroupNormalization, _ weights: WeightScope
) -> Tensor {
    var hidden = convolution(silu(norm(x, weights["norm1"])), to: channels, weights["conv1"])
    if let time {
        let shift = linear(time, to: channels, weights["time_emb_proj"])
        hidden = hidden + reshape(shift, [time.size(0), channels, 1, 1])
    }
    hidden = convolution(silu(norm(hidden, weights["norm2"])), to: channels, weights["conv2"])
    let shortcut =
        x.size(1) == channels ? x : convolution(x, to: channels, size: 1, weights["conv_shortcut"])
    return shortcut + hidden
}
