import TensorGraph

/// Multi-head attention (Vaswani et al. 2017): queries from `x` `[N, L, C]`, keys and values from `context`
/// `[N, S, D]`; the result is `[N, L, C]`.
///
/// - Parameters:
///   - names: The scopes of the query, key, value and output projections.
///   - mask: Added to the scores; broadcasts to `[N, heads, L, S]`.
func multiHeadAttention(
    _ x: Tensor, context: Tensor, heads: Int, bias: Bool, mask: Tensor? = nil,
    names: (query: String, key: String, value: String, output: String), _ weights: WeightScope
) -> Tensor {
    let channels = x.size(-1)
    func split(_ projected: Tensor) -> Tensor {
        let shape: Shape = [projected.size(0), projected.size(1), heads, channels / heads]
        return transpose(reshape(projected, shape), [0, 2, 1, 3])
    }
    let attended = scaledDotProductAttention(
        queries: split(linear(x, to: channels, bias: bias, weights[names.query])),
        keys: split(linear(context, to: channels, bias: bias, weights[names.key])),
        values: split(linear(context, to: channels, bias: bias, weights[names.value])), mask: mask)
    return linear(reshape(transpose(attended, [0, 2, 1, 3]), x.shape), to: channels, weights[names.output])
}
