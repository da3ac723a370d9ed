import Checkpoints
import EngineInterface
import Imaging
import Networks
import Sampling
import TensorGraph

/// The model's networks, compiled for the shapes that were asked for last.
///
/// A shape that is asked for again is there at once, and two requests that ask for the same wait for one
/// compilation. One U-Net and one decoder are kept, since each holds its weights again in the engine's own layout.
actor CompiledNetworks {
    private typealias Compilation = Task<any CompiledGraph, any Error>
    private enum Network: Hashable {
        case textEncoder(Int)
        case unet, encoder, decoder
    }

    private struct Shape: Hashable {
        let batch: Int
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
    }

    private let parts: ModelParts
    private let engine: any Engine
    private let precision: Precision
    /// In bytes, what all networks together may take.
    private let memory: Int
    /// For int8: between which numbers the U-Net's activations lie.
    private var ranges: ActivationRanges?
    /// What is known of latents' colours; nil until it is asked for.
    private var colorFit: LatentColors.Fit?
    private var ready: [Network: (shape: Shape, compilation: Compilation)] = [:]
    /// The networks whose weights' values have been looked at; both halves of the autoencoder count as one.
    private var inspected: Set<Network> = []
    private var warnings: [Warning] = []
    /// What was found to fit in the memory, and whether with the encoder.
    private var fitting: (shape: Shape, encodes: Bool)?

    init(_ parts: ModelParts, engine: any Engine, precision: Precision, memory: Int) {
        self.parts = parts
        self.engine = engine
        self.precision = precision
        self.memory = memory
    }

    /// Checks that the memory holds the U-Net, and the decoder for latents of the same size.
    ///
    /// - Throws: ``RequestError/memory(width:height:batchSize:needed:available:)``, `GraphError`.
    func checkMemory(_ plan: UNetPlan, encodes: Bool) throws {
        let shape = shape(plan)
        let (height, width) = (plan.height, plan.width)
        if let fitting, fitting.shape == shape, fitting.encodes || !encodes { return }
        let (unet, decoder) = (try unetGraph(shape), try decoderGraph(height: height, width: width))
        let factor = parts.autoencoder.factor
        let encoder = encodes ? try encoderGraph(height: height * factor, width: width * factor) : nil
        let count =
            unet.weightCount + decoder.weightCount + (encoder?.weightCount ?? 0)
            + max(unet.peakValueCount, decoder.peakValueCount, encoder?.peakValueCount ?? 0)
        let needed = count * (precision == .float32 ? 4 : 2)
        guard needed <= memory else {
            throw RequestError.memory(
                width: width * factor, height: height * factor, batchSize: plan.batch, needed: needed,
                available: memory)
        }
        fitting = (shape, encodes)
    }

    private nonisolated func unetGraph(_ shape: Shape, weights: (any WeightStorage)? = nil) throws -> Graph {
        try UNet(parts.unet).graph(
            batch: shape.batch, passes: shape.passes, height: shape.height, width: shape.width,
            tokens: shape.tokens, pooledWidth: parts.pooledWidth, options: shape.options,
            weights: weights ?? parts.unetWeights
        ).wrapping(shape.wrapped)
    }

    private nonisolated func decoderGraph(height: Int, width: Int) throws -> Graph {
        try parts.autoencoder.decoderGraph(
            batch: 1, height: height, width: width, weights: parts.autoencoderWeights)
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

    /// The U-Net.
    func preparedUNet(_ plan: UNetPlan) async throws -> any CompiledGraph {
        try await unetCompilation(plan).value
    }

    /// Begins what ``preparedUNet(_:)`` then waits for.
    func beginPreparingUNet(_ plan: UNetPlan) { _ = unetCompilation(plan) }

    private func unetCompilation(_ plan: UNetPlan) -> Compilation {
        let shape = shape(plan)
        var weights = parts.unetWeights.adapted(plan.adapters)
        if precision == .int8, let ranges {
            weights = QuantizedWeights(weights, layers: UNet.quantizedLayers(of: weights), ranges: ranges)
        }
        return compilation(of: .unet, shape, weights: weights) { [weights] in
            try self.unetGraph(shape, weights: weights)
        }
    }

    /// Whether int8 was asked for, and neither the weights nor a calibration say between which numbers activations lie.
    var needsRanges: Bool {
        precision == .int8 && ranges == nil
            && !parts.unetWeights.names.contains { $0.hasSuffix(".input_range") }
    }

    func setRanges(_ ranges: ActivationRanges) { self.ranges = ranges }

    /// The U-Net in floating-point numbers, which takes note of what those of its layers are given that int8 is for. It is
    /// not kept.
    func observedUNet(_ plan: UNetPlan) async throws -> ActivationObserver {
        ready[.unet] = nil
        let weights = parts.unetWeights
        let layers = UNet.quantizedLayers(of: weights)
        let (graph, observed) = try unetGraph(shape(plan)).observing(Set(layers.map { $0 + ".weight" }))
        return ActivationObserver(
            try await engine.compile(graph, weights: weights, precision: .automatic), weights: observed)
    }

    private func shape(_ plan: UNetPlan) -> Shape {
        Shape(
            batch: plan.batch, passes: plan.passes, tokens: plan.tokens, height: plan.height,
            width: plan.width, options: plan.options, wrapped: plan.wrapped,
            adapters: plan.adapters.map(\.use),
            precision: precision)
    }

    /// The encoder for one picture of that size, in pixels.
    func preparedEncoder(height: Int, width: Int, wrapped: WrappedAxes = WrappedAxes()) async throws
        -> any CompiledGraph
    {
        let shape = Shape(batch: 1, height: height, width: width, wrapped: wrapped, precision: precision)
        return try await compilation(of: .encoder, shape, weights: parts.autoencoderWeights) {
            try self.encoderGraph(height: height, width: width).wrapping(wrapped)
        }.value
    }

    private nonisolated func encoderGraph(height: Int, width: Int) throws -> Graph {
        try parts.autoencoder.encoderGraph(
            batch: 1, height: height, width: width, weights: parts.autoencoderWeights)
    }

    /// The decoder for one picture's latents of that size, in latent cells.
    func preparedDecoder(
        height: Int, width: Int, wrapped: WrappedAxes = WrappedAxes(), inFullPrecision: Bool = false
    ) async throws -> any CompiledGraph {
        let precision = inFullPrecision ? Precision.float32 : precision
        let shape = Shape(batch: 1, height: height, width: width, wrapped: wrapped, precision: precision)
        return try await compilation(of: .decoder, shape, weights: parts.autoencoderWeights) {
            try self.decoderGraph(height: height, width: width).wrapping(wrapped)
        }.value
    }

    /// The compilation under way or done for the shape, or a new one.
    private func compilation(
        of network: Network, _ shape: Shape, weights: any WeightStorage,
        graph: @escaping @Sendable () throws -> Graph
    ) -> Compilation {
        if let known = ready[network], known.shape == shape { return known.compilation }
        // The one before is let go first, so that memory is not needed for both.
        ready[network] = nil
        let compilation = Task {
            do {
                return try await compile(network, graph(), weights: weights, precision: shape.precision)
            } catch {
                // What failed is tried again when it is asked for again.
                if ready[network]?.shape == shape { ready[network] = nil }
                throw error
            }
        }
        ready[network] = (shape, compilation)
        return compilation
    }

    /// Compiles a graph; beside it, where the weights are used for the first time, looks for values that are not
    /// numbers.
    private func compile(
        _ network: Network, _ graph: Graph, weights: any WeightStorage, precision: Precision
    ) async throws -> any CompiledGraph {
        let isNew = inspected.insert(network == .encoder ? .decoder : network).inserted
        guard isNew else { return try await engine.compile(graph, weights: weights, precision: precision) }
        let watched = WatchedWeights(weights)
        let compiled = try await engine.compile(graph, weights: watched, precision: precision)
        if let name = try await watched.firstNonFinite() {
            warnings.append(.notFiniteWeights(file: weights.origin, tensor: name))
        }
        return compiled
    }
}

/// What a U-Net is compiled for.
struct UNetPlan: Sendable {
    /// How many pictures.
    let batch: Int
    /// How many contexts each picture is predicted for.
    let passes: Int
    /// How many embeddings there are in a context.
    let tokens: Int
    /// In latent cells, as the width.
    let height: Int
    let width: Int
    var options = UNet.Options()
    /// Which axes of the picture have no ends.
    var wrapped = WrappedAxes()
    /// What changes its weights.
    var adapters: [LoadedAdapter] = []
}
