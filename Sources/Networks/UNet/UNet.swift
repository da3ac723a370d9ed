import Checkpoints
import TensorGraph

/// The U-Net that predicts the noise in latents, led by a text (Rombach et al. 2022, figure 3).
public struct UNet: Sendable {
    public let configuration: UNetConfiguration
    public init(_ configuration: UNetConfiguration) { self.configuration = configuration }

    /// The network as a graph: `latents` `[batch, inputChannels, height, width]`, `timestep` `[1]` in 0…999
    /// and `context` `[passes · batch, tokens, contextWidth]` to `prediction`
    /// `[passes · batch, outputChannels, height, width]`; sizes in latent cells.
    ///
    /// diffusers' `UNet2DConditionModel`. What comes before the first attention to the text is the same in every
    /// pass, and is computed once.
    ///
    /// - Parameter passes: How many contexts all latents are predicted for: two with guidance.
    /// - Throws: `GraphError` where the checkpoint does not fit the configuration.
    public func graph(
        batch: Int, passes: Int = 1, height: Int, width: Int, tokens: Int, weights catalog: any WeightCatalog
    ) throws -> Graph {
        try Graph.build("unet", weights: catalog) { builder in
            let latents = builder.input("latents", [batch, configuration.inputChannels, height, width])
            let timestep = builder.input("timestep", [1])
            let context = builder.input("context", [passes * batch, tokens, configuration.contextWidth])
            let prediction = predict(latents, timestep, context, builder)
            return ["prediction": repeated(prediction, toBatch: passes * batch)]
        }
    }

    // N: batch, times passes from the first attention on. h = height, w = width, in latent cells. The sizes noted are Stable Diffusion 1.5's.
    private func predict(
        _ latents: Tensor, _ timestep: Tensor, _ context: Tensor, _ builder: GraphBuilder
    ) -> Tensor {
        let (weights, levels) = (builder.weights, configuration.levels)
        let time = silu(
            timestepEmbedding(
                configuration.encoding(timestep, builder), to: configuration.timeChannels,
                weights["time_embedding"]))  // [1, 1280]
        var x = convolution(latents, to: levels[0].channels, weights["conv_in"])  // [N, 320, h, w]
        var skips = [x]
        for level in levels {
            x = down(level, x, time, context, weights["down_blocks", level.index], push: &skips)
        }
        if configuration.hasMiddle {
            x = middle(x, time, context, weights["mid_block"])  // [N, 1280, h/8, w/8]
        }
        for level in levels.reversed() {
            x = up(
                level, x, time, context, weights["up_blocks", levels.count - 1 - level.index], pop: &skips)
        }
        x = silu(configuration.norm(x, weights["conv_norm_out"]))  // [N, 320, h, w]
        return convolution(x, to: configuration.outputChannels, weights["conv_out"])  // [N, 4, h, w]
    }

    private func down(
        _ level: UNetConfiguration.Level, _ x: Tensor, _ time: Tensor, _ context: Tensor,
        _ weights: WeightScope, push skips: inout [Tensor]
    ) -> Tensor {
        var x = x
        for index in 0..<level.layers {
            x = resNet(x, level.channels, time, weights["resnets", index])
            if level.attendsGoingDown { x = attend(level, x, context, weights["attentions", index]) }
            skips.append(x)
        }
        if level.hasCoarser {
            // Without padding all round, diffusers pads below and on the right.
            let padding =
                configuration.downsamplePadding == 1
                ? Convolution.Padding(1) : Convolution.Padding(top: 0, left: 0, bottom: 1, right: 1)
            x = convolution(
                x, to: level.channels, stride: 2, padding: padding, weights["downsamplers.0.conv"])
            skips.append(x)
        }
        return x
    }

    private func middle(_ x: Tensor, _ time: Tensor, _ context: Tensor, _ weights: WeightScope) -> Tensor {
        let level = configuration.levels[configuration.levels.count - 1]
        var x = resNet(x, level.channels, time, weights["resnets.0"])
        x = attend(level, x, context, weights["attentions.0"])
        return resNet(x, level.channels, time, weights["resnets.1"])
    }

    private func up(
        _ level: UNetConfiguration.Level, _ x: Tensor, _ time: Tensor, _ context: Tensor,
        _ weights: WeightScope, pop skips: inout [Tensor]
    ) -> Tensor {
        var x = x
        for index in 0...level.layers {
            x = concatenate([x, repeated(skips.removeLast(), toBatch: x.size(0))], axis: 1)
            x = resNet(x, level.channels, time, weights["resnets", index])
            if level.attendsGoingUp { x = attend(level, x, context, weights["attentions", index]) }
        }
        if level.index > 0, let skip = skips.last {
            // A level of odd size was rounded up on the way down: the copy is cut to what it came from.
            x = upsampleNearest(x, factor: 2)
            if x.size(2) != skip.size(2) { x = slice(x, axis: 2, 0..<skip.size(2)) }
            if x.size(3) != skip.size(3) { x = slice(x, axis: 3, 0..<skip.size(3)) }
            x = convolution(x, to: level.channels, weights["upsamplers.0.conv"])
        }
        return x
    }

    private func resNet(_ x: Tensor, _ channels: Int, _ time: Tensor, _ weights: WeightScope) -> Tensor {
        resNetBlock(x, to: channels, time: time, norm: configuration.norm, weights)
    }

    private func attend(
        _ level: UNetConfiguration.Level, _ x: Tensor, _ context: Tensor, _ weights: WeightScope
    ) -> Tensor {
        spatialTransformer(
            x, context: context, heads: level.heads, layers: level.transformerLayers,
            groups: configuration.groups, usesLinearProjection: configuration.usesLinearProjection, weights)
    }
}
