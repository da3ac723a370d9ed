import Checkpoints
import EngineInterface
import Networks
import TensorGraph

/// The model's networks, compiled for the shapes that were asked for last.
///
/// A shape that is asked for again is there at once. One U-Net and one decoder are kept, since each holds its
/// weights again in the engine's own layout.
actor CompiledNetworks {
    private struct Shape: Hashable {
        let batch: Int
        let height: Int
        let width: Int
        let precision: Precision
    }

    private let parts: ModelParts
    private let engine: any Engine
    private let precision: Precision
    private var textEncoder: (any CompiledGraph)?
    private var unet: (Shape, any CompiledGraph)?
    private var decoder: (Shape, any CompiledGraph)?
    /// The checkpoints whose values have been looked at.
    private var inspected: Set<String> = []
    private var warnings: [Warning] = []

    init(_ parts: ModelParts, engine: any Engine, precision: Precision) {
        self.parts = parts
        self.engine = engine
        self.precision = precision
    }

    /// What was noticed since this was last asked.
    func takeWarnings() -> [Warning] {
        defer { warnings = [] }
        return warnings
    }

    /// Compiles a graph; beside it, where the weights are used for the first time, looks for values that are not
    /// numbers.
    private func compile(_ graph: Graph, weights: any WeightStorage, precision: Precision) async throws
        -> any CompiledGraph
    {
        let isNew = inspected.insert(weights.origin).inserted
        async let damaged = isNew ? Self.firstNonFinite(in: weights) : nil
        let compiled = try await engine.compile(graph, weights: weights, precision: precision)
        if let name = try await damaged {
            warnings.append(.notFiniteWeights(file: weights.origin, tensor: name))
        }
        return compiled
    }

    private static func firstNonFinite(in weights: some WeightStorage) async throws -> String? {
        try weights.map(additionalBytes: 0).firstNonFinite(in: weights)
    }

    /// The text encoder, for one prompt at a time.
    func preparedTextEncoder() async throws -> any CompiledGraph {
        if let textEncoder { return textEncoder }
        let graph = try CLIPTextEncoder(parts.textEncoder).graph(batch: 1, weights: parts.textEncoderWeights)
        let compiled = try await compile(
            graph, weights: parts.textEncoderWeights, precision: precision)
        textEncoder = compiled
        return compiled
    }

    /// The U-Net for latents of that batch and size.
    func preparedUNet(batch: Int, height: Int, width: Int) async throws -> any CompiledGraph {
        let shape = Shape(batch: batch, height: height, width: width, precision: precision)
        if let unet, unet.0 == shape { return unet.1 }
        unet = nil
        let graph = try UNet(parts.unet).graph(
            batch: batch, height: height, width: width, tokens: parts.textEncoder.positions,
            weights: parts.unetWeights)
        let compiled = try await compile(graph, weights: parts.unetWeights, precision: precision)
        unet = (shape, compiled)
        return compiled
    }

    /// The decoder for one picture's latents of that size.
    func preparedDecoder(height: Int, width: Int, inFullPrecision: Bool = false) async throws
        -> any CompiledGraph
    {
        let precision = inFullPrecision ? Precision.float32 : precision
        let shape = Shape(batch: 1, height: height, width: width, precision: precision)
        if let decoder, decoder.0 == shape { return decoder.1 }
        decoder = nil
        let graph = try Autoencoder(parts.autoencoder).decoderGraph(
            batch: 1, height: height, width: width, weights: parts.autoencoderWeights)
        let compiled = try await compile(
            graph, weights: parts.autoencoderWeights, precision: precision)
        decoder = (shape, compiled)
        return compiled
    }
}
