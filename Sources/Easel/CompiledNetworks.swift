import Checkpoints
import EngineInterface
import Imaging
import Networks
import Sampling
import TensorGraph

/// The model's networks, compiled for the shapes that were asked for last.
///
/// A shape that is asked for again is there at once, and two requests that ask for the same wait for one
/// compilation. One U-Net and one decoder are kept, since each holds its weights again in the engine's own layout; small
/// U-Nets are kept for several numbers of pictures.
actor CompiledNetworks {
    typealias Compilation = Task<any CompiledGraph, any Error>
    enum Network: Hashable {
        case textEncoder(Int)
        case unet, encoder, decoder
        /// The U-Net's layers above its deep features.
        case shallowUNet

        /// The network whose weights it has: both halves of the autoencoder are one, and all of the U-Net.
        var whole: Network {
            switch self {
            case .encoder: .decoder
            case .shallowUNet: .unet
            case .textEncoder, .unet, .decoder: self
            }
        }
    }

    struct Shape: Hashable {
        var batch: Int
        var passes = 1
        /// How many embeddings the U-Net attends to.
        var tokens = 0
        var text = CLIPTextEncoder.Options()
        let height: Int
        let width: Int
        var options = UNet.Options()
        var wrapped = WrappedAxes()
        var adapters: [LoadedAdapter.Use] = []
        let precision: Precision
        /// How it is run, where that is more than one way.
        var memory: MemoryPlan?
    }

    let parts: ModelParts
    let engine: any Engine
    let precision: Precision
    let use: MemoryUse
    /// In bytes, what all networks together may take.
    let memory: Int
    /// For int8: between which numbers the U-Net's and the decoder's activations lie.
    var ranges: ActivationRanges?
    /// What is known of latents' colours; nil until it is asked for.
    private var colorFit: LatentColors.Fit?
    var ready: [Network: (shape: Shape, compilation: Compilation)] = [:]
    /// Small U-Nets for other numbers of pictures than the last one's, in the order of their use.
    var spareUNets: [(shape: Shape, compilation: Compilation)] = []
    /// The networks whose weights' values have been looked at.
    private var inspected: Set<Network> = []
    private var hasDamagedWeights = false
    private var warnings: [Warning] = []
    /// What was found to fit in the memory, whether with the encoder, and how.
    var fitting: (shape: Shape, encodes: Bool, plan: MemoryPlan, bytes: Int)?

    init(
        _ parts: ModelParts, engine: any Engine, precision: Precision, use: MemoryUse = MemoryUse(),
        memory: Int
    ) {
        self.use = use
        self.parts = parts
        self.engine = engine
        self.precision = precision
        self.memory = memory
    }

    nonisolated func decoderGraph(height: Int, width: Int, weights: (any WeightStorage)? = nil) throws
        -> Graph
    {
        try parts.autoencoder.decoderGraph(
            batch: 1, height: height, width: width, weights: weights ?? parts.autoencoderWeights)
    }

    /// How latents look, as far as the decoder was seen at work; at first at small latents.
    func latentColors() async throws -> LatentColors {
        if let known = colorFit { return known.colors }
        let side = 8
        let graph = try decoderGraph(height: side, width: side)
        let decoder = try await engine.compile(
            graph, weights: parts.autoencoderWeights, precision: precision)
        var fit = LatentColors.Fit(channels: parts.autoencoder.latentChannels)
        var noise = PictureNoise(seed: 0, count: 1)
        for _ in 0..<3 {
            // Slowly changing latents have colours of their own; of single cells' noise the decoder makes texture.
            let latents = try noise.latents(channels: parts.autoencoder.latentChannels, height: 2, width: 2)
                .enlarged(height: side, width: side)
            let picture = try await decoder.run([
                "latents": HostTensor(
                    parts.autoencoder.unscaled(latents.values), shape: TensorGraph.Shape(latents.shape))
            ]).output("pictures").floats
            guard picture.allSatisfy(\.isFinite) else { continue }
            let size = side * parts.autoencoder.factor
            fit.add(latents, Image(decoded: picture, width: size, height: size))
        }
        colorFit = colorFit ?? fit
        return fit.colors
    }

    /// Takes note of a picture and its latents, where it was asked how latents look.
    func learnColors(_ latents: Latents, _ image: Image) { colorFit?.add(latents, image) }

    /// What was noticed since this was last asked.
    func takeWarnings() -> [Warning] {
        defer { warnings = [] }
        return warnings
    }

    /// The text encoders, each for one prompt at a time.
    ///
    /// - Parameters:
    ///   - clipSkip: 1 for what the model was trained with.
    ///   - hidesTokens: Whether they take a mask of tokens that are not attended to.
    ///   - learnsWords: Whether they take embeddings beside their vocabulary's.
    func preparedTextEncoders(
        clipSkip: Int, hidesTokens: Bool = false, learnsWords: Bool = false, adapters: [LoadedAdapter] = []
    ) async throws -> [any CompiledGraph] {
        let begun = parts.textEncoders.enumerated().map { index, part in
            let options = part.options(
                clipSkip: clipSkip, hidesTokens: hidesTokens, learnsWords: learnsWords)
            let shape = Shape(
                batch: 1, text: options, height: 0, width: 0, adapters: adapters.map(\.use),
                precision: precision)
            let weights = part.weights.adapted(adapters, textEncoder: index)
            return compilation(of: .textEncoder(index), shape, weights: weights) {
                try CLIPTextEncoder(part.configuration).graph(batch: 1, options: options, weights: weights)
            }
        }
        var encoders: [any CompiledGraph] = []
        for compilation in begun { encoders.append(try await compilation.value) }
        return encoders
    }

    /// Lets go of all networks that do not stay ready.
    func letGo(_ memory: MemoryPlan) {
        for work in NetworkWork.allCases { letGo(after: work, memory) }
    }

    /// Lets go of what requests before left ready under another plan of memory, which nothing asks for under this one: the
    /// estimate of this one is without it.
    func letGo(notOf memory: MemoryPlan) {
        guard memory.residency != .all else { return }
        for network in [Network.unet, .shallowUNet, .encoder, .decoder] {
            if let other = ready[network], other.shape.memory != memory { ready[network] = nil }
        }
        spareUNets = []
    }

    /// Lets go of the networks that have done their work, as far as they do not stay ready.
    func letGo(after work: NetworkWork, _ memory: MemoryPlan) {
        switch (memory.residency, work) {
        case (.all, _), (.unet, .denoising): return
        case (_, .encodingPrompts):
            for index in parts.textEncoders.indices { ready[.textEncoder(index)] = nil }
        case (_, .encodingPicture): ready[.encoder] = nil
        case (_, .denoising): (ready[.unet], ready[.shallowUNet]) = (nil, nil)
        case (_, .decoding): ready[.decoder] = nil
        }
    }

    /// The encoder for one picture of that size, in pixels.
    func preparedEncoder(
        height: Int, width: Int, wrapped: WrappedAxes = WrappedAxes(), _ memory: MemoryPlan
    ) async throws -> any CompiledGraph {
        let shape = Shape(
            batch: 1, height: height, width: width, wrapped: wrapped, precision: precision, memory: memory)
        return try await compilation(of: .encoder, shape, weights: parts.autoencoderWeights) {
            try self.encoderGraph(height: height, width: width).wrapping(wrapped)
                .slicingAttention(scoresAtOnce: memory.autoencoderScoresAtOnce)
        }.value
    }

    nonisolated func encoderGraph(height: Int, width: Int) throws -> Graph {
        try parts.autoencoder.encoderGraph(
            batch: 1, height: height, width: width, weights: parts.autoencoderWeights)
    }

    /// The decoder for one picture's latents of that size, in latent cells.
    func preparedDecoder(
        height: Int, width: Int, wrapped: WrappedAxes = WrappedAxes(), inFullPrecision: Bool = false,
        _ memory: MemoryPlan
    ) async throws -> any CompiledGraph {
        let precision = inFullPrecision ? Precision.float32 : precision
        let shape = Shape(
            batch: 1, height: height, width: width, wrapped: wrapped, precision: precision, memory: memory)
        let weights = precision == .int8 ? quantizedAutoencoderWeights : parts.autoencoderWeights
        return try await compilation(of: .decoder, shape, weights: weights) {
            try self.decoderGraph(height: height, width: width, weights: weights).wrapping(wrapped)
                .slicingAttention(scoresAtOnce: memory.autoencoderScoresAtOnce)
        }.value
    }

    /// The compilation under way or done for the shape, or a new one.
    func compilation(
        of network: Network, _ shape: Shape, weights: any WeightStorage,
        graph: @escaping @Sendable () throws -> Graph
    ) -> Compilation {
        if let known = ready[network], known.shape == shape { return known.compilation }
        if network == .unet, let spare = spareUNet(for: shape) { return spare }
        // The one before is let go first, so that memory is not needed for both.
        ready[network] = nil
        let compilation = Task {
            do {
                return try await compile(network, shape, weights: weights, graph: graph)
            } catch {
                // What failed is tried again when it is asked for again.
                if ready[network]?.shape == shape { ready[network] = nil }
                if network == .unet { spareUNets.removeAll { $0.shape == shape } }
                throw error
            }
        }
        ready[network] = (shape, compilation)
        return compilation
    }

    /// Compiles a graph, or makes ready what compiles its parts; beside it, where the weights are used for the first time,
    /// looks for values that are not numbers.
    private func compile(
        _ network: Network, _ shape: Shape, weights: any WeightStorage, graph: () throws -> Graph
    ) async throws -> any CompiledGraph {
        let isNew = inspected.insert(network.whole).inserted
        let isWhole = network.whole != .unet || shape.memory?.residency != .parts
        let tiled = try tilePlan(network, shape, weights: weights)
        let watched = isNew && isWhole && tiled == nil ? WatchedWeights(weights) : nil
        async let scanned = isNew && watched == nil ? Self.firstNonFinite(in: weights) : nil
        let compiled: any CompiledGraph
        if !isWhole {
            let (graph, limit) = (try graph(), Self.partWeightCount(shape.precision))
            compiled =
                try await engine.compileStreaming(
                    graph, weights: weights, precision: shape.precision, weightCount: limit)
                ?? PartwiseGraph(
                    graph, weights: weights, engine: engine, precision: shape.precision, limit: limit)
        } else if let tiled {
            compiled = TiledGraph(
                tiled, weights: weights, engine: engine, precision: shape.precision,
                keeps: shape.memory?.residency == .all || shape.memory?.residency == .unet)
        } else {
            compiled = try await engine.compile(
                graph(), weights: watched ?? weights, precision: shape.precision)
        }
        var damaged = try await scanned
        if let watched { damaged = try await watched.firstNonFinite() }
        note(damaged, of: weights)
        return compiled
    }

    /// Looks for values that are not numbers where the networks do not show them: what int8 makes of weights are integers.
    func inspectWeights() async throws {
        let all: [(Network, any WeightStorage)] = [
            (.unet, parts.unetWeights), (.decoder, parts.autoencoderWeights),
        ]
        for (network, weights) in all where inspected.insert(network).inserted {
            note(try await Self.firstNonFinite(in: weights), of: weights)
        }
    }

    /// Has the user told of a tensor with values that are not numbers; of one, as what damages files damages many.
    private func note(_ damaged: String?, of weights: any WeightStorage) {
        guard let damaged, !hasDamagedWeights else { return }
        hasDamagedWeights = true
        warnings.append(
            .notFiniteWeights(file: weights.origin, tensor: weights.nameInFile(of: damaged)))
    }

    /// How the network is computed in tiles; nil where it is not.
    nonisolated func tilePlan(_ network: Network, _ shape: Shape, weights: (any WeightStorage)? = nil) throws
        -> TilePlan?
    {
        guard let memory = shape.memory, let tile = memory.tile, network == .decoder || network == .encoder
        else {
            return nil
        }
        let (isDecoder, factor) = (network == .decoder, parts.autoencoder.factor)
        return try TilePlan(
            tile, height: isDecoder ? shape.height : shape.height / factor,
            width: isDecoder ? shape.width : shape.width / factor, wrapped: shape.wrapped,
            scoresAtOnce: memory.autoencoderScoresAtOnce, isDecoder: isDecoder
        ) { height, width in
            isDecoder
                ? try self.decoderGraph(height: height, width: width, weights: weights)
                : try self.encoderGraph(height: height * factor, width: width * factor)
        }
    }

    private static func firstNonFinite(in weights: some WeightStorage) async throws -> String? {
        try weights.map(additionalBytes: 0).firstNonFinite(in: weights)
    }
}

/// What networks are needed for, in order.
enum NetworkWork: CaseIterable { case encodingPrompts, encodingPicture, denoising, decoding }
