import Checkpoints
import TensorGraph

/// The U-Net that predicts the noise in latents, led by a text (Rombach et al. 2022, figure 3).
public struct UNet: Sendable {
    public let configuration: UNetConfiguration
    /// How many of the cells are merged in the self-attention of the finest level that has one.
    private var mergedShare = 0.0

    public init(_ configuration: UNetConfiguration) { self.configuration = configuration }

    /// What is computed otherwise than the model was trained.
    public struct Options: Sendable, Hashable {
        /// FreeU at the two coarsest levels going up; there is a third input `freeu` `[4]` then: b and s of the coarsest
        /// level, b and s of the next.
        public var freeU: FreeUVersion?
        /// Whether in the last pass each cell of the middle attends to itself alone (Ahn et al., "Self-Rectifying
        /// Diffusion Sampling with Perturbed-Attention Guidance", 2024).
        public var perturbsAttention: Bool
        /// Whether deep features are kept from a step to the next; nil where they are not.
        public var deepFeatures: DeepFeatures?
        /// The share of cells that are merged with others in the self-attention of the finest level that has one, from 0 to
        /// 0.75 (Bolya and Hoffman, "Token Merging for Fast Stable Diffusion", 2023).
        public var tokenMergingRatio: Double

        public init(
            freeU: FreeUVersion? = nil, perturbsAttention: Bool = false, deepFeatures: DeepFeatures? = nil,
            tokenMergingRatio: Double = 0
        ) {
            self.tokenMergingRatio = tokenMergingRatio
            self.freeU = freeU
            self.perturbsAttention = perturbsAttention
            self.deepFeatures = deepFeatures
        }
    }

    /// What a graph does with deep features: what the last ``shallowLayers`` layers going up are handed by all that lies
    /// below them (Ma et al., "DeepCache: Accelerating Diffusion Models for Free", 2023). They change little from a step to
    /// the next.
    public enum DeepFeatures: Sendable, Hashable {
        /// All is computed, and they are a second output `deep`, `[passes · batch, channels, height, width]`.
        case given
        /// They are an input `deep`, and only the finest level's layers above them are computed.
        case taken
    }

    /// How many layers going up are above the deep features, as far as the finest level has so many.
    static let shallowLayers = 2

    /// The network as a graph: `latents` `[batch, inputChannels, height, width]`, `timestep` `[1]` in 0…999
    /// and `context` `[passes · batch, tokens, contextWidth]` to `prediction`
    /// `[passes · batch, outputChannels, height, width]`; sizes in latent cells.
    ///
    /// Where the configuration has an ``UNetConfiguration/addition``, `pooled` `[passes · batch, pooledWidth]` and
    /// `numbers` `[passes · batch, count]` too; with a ``UNetConfiguration/guidanceEncodingWidth``, `guidance` `[1]`, the
    /// guidance scale less 1. With ``Options/deepFeatures`` `taken`, what only the layers below read is ignored where it is
    /// given.
    ///
    /// diffusers' `UNet2DConditionModel`. What comes before anything that depends on the text is the same in every
    /// pass, and is computed once.
    ///
    /// - Parameters:
    ///   - passes: How many contexts all latents are predicted for: two with guidance.
    ///   - pooledWidth: The size of the prompt's pooled embedding, for a U-Net that is told of it.
    /// - Throws: `GraphError` where the checkpoint does not fit the configuration.
    public func graph(
        batch: Int, passes: Int = 1, height: Int, width: Int, tokens: Int, pooledWidth: Int = 0,
        options: Options = Options(), weights catalog: any WeightCatalog
    ) throws -> Graph {
        func isUnused(_ name: String) -> Bool { options.deepFeatures == .taken }
        return try Graph.build("unet", weights: catalog, ignoring: isUnused) { builder in
            let latents = builder.input("latents", [batch, configuration.inputChannels, height, width])
            let timestep = builder.input("timestep", [1])
            let context = builder.input("context", [passes * batch, tokens, configuration.contextWidth])
            let pass = Pass(batch: batch, pooledWidth: pooledWidth, options: options, builder)
            var unet = self
            unet.mergedShare = options.tokenMergingRatio
            let (prediction, deep) = unet.predict(latents, timestep, context, pass, builder)
            let output = repeated(prediction, toBatch: passes * batch)
            guard options.deepFeatures == .given else { return ["prediction": output] }
            return ["prediction": output, "deep": repeated(deep, toBatch: passes * batch)]
        }
    }

    // N: batch, times passes from the first attention on. h = height, w = width, in latent cells. The sizes noted are Stable Diffusion 1.5's.
    private func predict(
        _ latents: Tensor, _ timestep: Tensor, _ context: Tensor, _ pass: Pass, _ builder: GraphBuilder
    ) -> (prediction: Tensor, deep: Tensor) {
        let (weights, levels) = (builder.weights, configuration.levels)
        let finest = levels[0]
        let shallow = min(Self.shallowLayers, finest.layers + 1)
        // [1, 1280], and [N, 1280] in XL
        let time = silu(timeEmbedding(timestep, pictures: context.size(0), pass, builder))
        var x = convolution(latents, to: finest.channels, weights["conv_in"])  // [N, 320, h, w]
        if configuration.addition != nil { x = repeated(x, toBatch: context.size(0)) }
        var skips = [x]
        func down(_ level: UNetConfiguration.Level, _ layers: Range<Int>) {
            x = self.down(
                level, layers, x, time, context, weights["down_blocks", level.index], push: &skips)
        }
        func up(_ level: UNetConfiguration.Level, _ layers: Range<Int>) {
            let index = levels.count - 1 - level.index
            x = self.up(
                level, layers, x, time, context, weights["up_blocks", index], pass.freeU(at: index),
                pop: &skips)
        }
        down(finest, 0..<shallow - 1)
        if pass.takesDeepFeatures {
            let below = shallow <= finest.layers || levels.count == 1 ? finest : levels[1]
            x = builder.input("deep", [context.size(0), below.channels, x.size(2), x.size(3)])
        } else {
            for level in levels {
                down(level, (level.index == 0 ? shallow - 1 : 0)..<level.layers)
                x = halve(level, x, weights["down_blocks", level.index], push: &skips)
            }
            // [N, 1280, h/8, w/8]
            x = middle(x, time, context, weights["mid_block"], perturbed: pass.perturbedBatch)
            for level in levels.dropFirst().reversed() { up(level, 0..<level.layers + 1) }
            up(finest, 0..<finest.layers + 1 - shallow)
        }
        let deep = x  // [N, 320, h, w]
        up(finest, finest.layers + 1 - shallow..<finest.layers + 1)
        x = silu(configuration.norm(x, weights["conv_norm_out"]))  // [N, 320, h, w]
        return (convolution(x, to: configuration.outputChannels, weights["conv_out"]), deep)  // [N, 4, h, w]
    }

    /// The timestep, and what else is told of the picture as a whole.
    private func timeEmbedding(
        _ timestep: Tensor, pictures: Int, _ pass: Pass, _ builder: GraphBuilder
    ) -> Tensor {
        let (weights, channels) = (builder.weights, configuration.timeChannels)
        var waves = configuration.encoding(timestep, builder)
        if let width = configuration.guidanceEncodingWidth {
            let guidance = GuidanceScaleEncoding(channels: width)(builder.input("guidance", [1]), builder)
            waves =
                waves + linear(guidance, to: waves.size(1), bias: false, weights["time_embedding.cond_proj"])
        }
        let time = timestepEmbedding(waves, to: channels, weights["time_embedding"])
        guard let addition = configuration.addition else { return time }
        let count = addition.numberCount(pooledWidth: pass.pooledWidth) ?? 1
        let numbers = reshape(builder.input("numbers", [pictures, count]), [pictures * count])
        let encoded = reshape(
            addition.encoding(numbers, builder), [pictures, count * addition.encoding.channels])
        let pooled = builder.input("pooled", [pictures, pass.pooledWidth])
        let added = timestepEmbedding(
            concatenate([pooled, encoded], axis: 1), to: channels, weights["add_embedding"])
        return time + added
    }

    private func down(
        _ level: UNetConfiguration.Level, _ layers: Range<Int>, _ x: Tensor, _ time: Tensor,
        _ context: Tensor,
        _ weights: WeightScope, push skips: inout [Tensor]
    ) -> Tensor {
        var x = x
        for index in layers {
            x = resNet(x, level.channels, time, weights["resnets", index])
            x = attend(level, level.transformersDown[index], x, context, weights["attentions", index])
            skips.append(x)
        }
        return x
    }

    /// From a level to the next, where there is one.
    private func halve(
        _ level: UNetConfiguration.Level, _ x: Tensor, _ weights: WeightScope, push skips: inout [Tensor]
    ) -> Tensor {
        guard level.hasCoarser else { return x }
        // Without padding all round, diffusers pads below and on the right.
        let padding =
            configuration.downsamplePadding == 1
            ? Convolution.Padding(1) : Convolution.Padding(top: 0, left: 0, bottom: 1, right: 1)
        let x = convolution(
            x, to: level.channels, stride: 2, padding: padding, weights["downsamplers.0.conv"])
        skips.append(x)
        return x
    }

    private func middle(
        _ x: Tensor, _ time: Tensor, _ context: Tensor, _ weights: WeightScope, perturbed: Int
    ) -> Tensor {
        let level = configuration.levels[configuration.levels.count - 1]
        if configuration.middle == .nothing { return x }
        var x = resNet(x, level.channels, time, weights["resnets.0"])
        guard case .attention(let transformers) = configuration.middle else { return x }
        x = attend(level, transformers, x, context, weights["attentions.0"], perturbed: perturbed)
        return resNet(x, level.channels, time, weights["resnets.1"])
    }

    private func up(
        _ level: UNetConfiguration.Level, _ layers: Range<Int>, _ x: Tensor, _ time: Tensor,
        _ context: Tensor,
        _ weights: WeightScope, _ freeU: FreeU?, pop skips: inout [Tensor]
    ) -> Tensor {
        var x = x
        for index in layers {
            var skip = skips.removeLast()
            if let freeU {
                x = freeUBackbone(x, scale: freeU.backbone, freeU.version)
                skip = freeUSkip(skip, scale: freeU.skip, freeU.builder)
            }
            x = concatenate([x, repeated(skip, toBatch: x.size(0))], axis: 1)
            x = resNet(x, level.channels, time, weights["resnets", index])
            x = attend(level, level.transformersUp[index], x, context, weights["attentions", index])
        }
        if level.index > 0, let skip = skips.last {
            // A level of odd size was rounded up on the way down: the copy is cut to what it came from.
            x = upsamplingConvolution(
                x, to: level.channels, height: skip.size(2), width: skip.size(3), weights["upsamplers.0.conv"]
            )
        }
        return x
    }

    private func resNet(_ x: Tensor, _ channels: Int, _ time: Tensor, _ weights: WeightScope) -> Tensor {
        resNetBlock(x, to: channels, time: time, norm: configuration.norm, weights)
    }

    /// - Parameter transformers: How many transformer blocks there are; 0 for no attention.
    private func attend(
        _ level: UNetConfiguration.Level, _ transformers: Int, _ x: Tensor, _ context: Tensor,
        _ weights: WeightScope, perturbed: Int = 0
    ) -> Tensor {
        if transformers == 0 { return x }
        return spatialTransformer(
            x, context: context, perturbed: perturbed,
            mergedShare: level.index == configuration.finestAttendingLevel ? mergedShare : 0,
            heads: level.heads, layers: transformers,
            groups: configuration.groups, usesLinearProjection: configuration.usesLinearProjection, weights)
    }
}

/// FreeU's scales at a level going up, each `[1, 1, 1, 1]`.
private struct FreeU {
    let version: FreeUVersion
    let backbone: Tensor
    let skip: Tensor
    let builder: GraphBuilder
}

/// What the options come to in a graph.
private struct Pass {
    /// How many of the last pictures attend to themselves alone in the middle.
    let perturbedBatch: Int
    /// The size of the prompt's pooled embedding.
    let pooledWidth: Int
    /// Whether what is below the shallow layers is not computed.
    let takesDeepFeatures: Bool
    private let version: FreeUVersion?
    private let scales: Tensor?
    private let builder: GraphBuilder

    init(batch: Int, pooledWidth: Int, options: UNet.Options, _ builder: GraphBuilder) {
        self.pooledWidth = pooledWidth
        perturbedBatch = options.perturbsAttention ? batch : 0
        takesDeepFeatures = options.deepFeatures == .taken
        version = options.freeU
        self.builder = builder
        scales = options.freeU.map { _ in builder.input("freeu", [4]) }
    }

    /// - Parameter index: Of the level going up, from 0.
    func freeU(at index: Int) -> FreeU? {
        guard let version, let scales, index < 2 else { return nil }
        func scale(_ place: Int) -> Tensor {
            reshape(slice(scales, axis: 0, place..<place + 1), [1, 1, 1, 1])
        }
        return FreeU(
            version: version, backbone: scale(2 * index), skip: scale(2 * index + 1), builder: builder)
    }
}
