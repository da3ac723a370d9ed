import Checkpoints
import TensorGraph

/// The variational autoencoder between pictures and latents (Rombach et al. 2022, section 3.1).
public struct Autoencoder: Sendable {
    public let configuration: AutoencoderConfiguration
    public init(_ configuration: AutoencoderConfiguration) { self.configuration = configuration }

    /// The decoder as a graph: unscaled `latents` `[batch, latentChannels, height, width]`, sizes in latent
    /// cells, to `pictures` `[batch, 3, factor · height, factor · width]` in −1…1.
    ///
    /// diffusers' `AutoencoderKL.decode`.
    ///
    /// - Throws: `GraphError` where the checkpoint does not fit the configuration.
    public func decoderGraph(batch: Int, height: Int, width: Int, weights catalog: any WeightCatalog) throws
        -> Graph
    {
        try Graph.build("vae decoder", weights: catalog, ignoring: isEncoders) { builder in
            var x = builder.input("latents", [batch, configuration.latentChannels, height, width])
            if configuration.hasPostQuantConvolution {
                x = convolution(
                    x, to: configuration.latentChannels, size: 1, builder.weights["post_quant_conv"])
            }
            return ["pictures": decode(x, builder.weights["decoder"])]
        }
    }

    /// The encoder as a graph: `pictures` `[batch, 3, height, width]` in −1…1, sizes in pixels, to `moments`
    /// `[batch, 2 · latentChannels, height / factor, width / factor]`: the means of the unscaled latents,
    /// then the logarithms of their variances.
    ///
    /// diffusers' `AutoencoderKL.encode`.
    ///
    /// - Throws: `GraphError` where the checkpoint does not fit the configuration.
    public func encoderGraph(batch: Int, height: Int, width: Int, weights catalog: any WeightCatalog) throws
        -> Graph
    {
        try Graph.build("vae encoder", weights: catalog, ignoring: isDecoders) { builder in
            let pictures = builder.input("pictures", [batch, configuration.imageChannels, height, width])
            let moments = encode(pictures, builder.weights["encoder"])
            guard configuration.hasQuantConvolution else { return ["moments": moments] }
            return [
                "moments": convolution(
                    moments, to: 2 * configuration.latentChannels, size: 1, builder.weights["quant_conv"])
            ]
        }
    }

    private func isEncoders(_ name: String) -> Bool {
        name.hasPrefix("encoder.") || name.hasPrefix("quant_conv.")
    }

    private func isDecoders(_ name: String) -> Bool {
        name.hasPrefix("decoder.") || name.hasPrefix("post_quant_conv.")
    }

    private func decode(_ latents: Tensor, _ weights: WeightScope) -> Tensor {
        let channels = Array(configuration.channels.reversed())
        var x = convolution(latents, to: channels[0], weights["conv_in"])
        x = middle(x, weights["mid_block"])
        for (index, count) in channels.enumerated() {
            for layer in 0...configuration.layers {
                x = resNet(x, to: count, weights["up_blocks", index, "resnets", layer])
            }
            if index + 1 < channels.count {
                x = upsamplingConvolution(
                    x, to: count, weights["up_blocks", index, "upsamplers.0.conv"])
            }
        }
        return finish(x, to: configuration.imageChannels, weights)
    }

    private func encode(_ pictures: Tensor, _ weights: WeightScope) -> Tensor {
        let channels = configuration.channels
        var x = convolution(pictures, to: channels[0], weights["conv_in"])
        for (index, count) in channels.enumerated() {
            for layer in 0..<configuration.layers {
                x = resNet(x, to: count, weights["down_blocks", index, "resnets", layer])
            }
            if index + 1 < channels.count {
                x = convolution(
                    x, to: count, stride: 2,
                    padding: Convolution.Padding(top: 0, left: 0, bottom: 1, right: 1),
                    weights["down_blocks", index, "downsamplers.0.conv"])
            }
        }
        x = middle(x, weights["mid_block"])
        return finish(x, to: 2 * configuration.latentChannels, weights)
    }

    /// Residual blocks around attention of each cell to all, at the coarsest level: `[N, C, h, w]`.
    private func middle(_ x: Tensor, _ weights: WeightScope) -> Tensor {
        let channels = x.size(1)
        var x = resNet(x, to: channels, weights["resnets.0"])
        if configuration.middleAttends {
            let scope = weights["attentions.0"]
            let cells: Shape = [x.size(0), channels, x.size(2) * x.size(3)]
            let flat = transpose(
                reshape(configuration.norm(x, scope["group_norm"]), cells), [0, 2, 1])
            let attended = multiHeadAttention(
                flat, context: flat, heads: 1, bias: true, names: ("to_q", "to_k", "to_v", "to_out.0"), scope)
            x = x + reshape(transpose(attended, [0, 2, 1]), x.shape)
        }
        return resNet(x, to: channels, weights["resnets.1"])
    }

    private func resNet(_ x: Tensor, to channels: Int, _ weights: WeightScope) -> Tensor {
        resNetBlock(x, to: channels, norm: configuration.norm, weights)
    }

    private func finish(_ x: Tensor, to channels: Int, _ weights: WeightScope) -> Tensor {
        convolution(
            silu(configuration.norm(x, weights["conv_norm_out"])), to: channels, weights["conv_out"])
    }
}
