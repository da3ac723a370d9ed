import Checkpoints
import EngineInterface
import Networks
import TensorGraph

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
    /// With `deepFeatures` given, the layers above them are compiled too.
    var options = UNet.Options()
    /// Which axes of the picture have no ends.
    var wrapped = WrappedAxes()
    /// What changes its weights.
    var adapters: [LoadedAdapter] = []
}

/// A U-Net that is ready to run.
struct PreparedUNet {
    let whole: any CompiledGraph
    /// The layers above the deep features, where the whole gives them.
    var shallow: (any CompiledGraph)?
}

extension CompiledNetworks {
    nonisolated func unetGraph(_ shape: Shape, weights: (any WeightStorage)? = nil) throws -> Graph {
        try UNet(parts.unet).graph(
            batch: shape.batch, passes: shape.passes, height: shape.height, width: shape.width,
            tokens: shape.tokens, pooledWidth: parts.pooledWidth, options: shape.options,
            weights: weights ?? parts.unetWeights
        ).wrapping(shape.wrapped)
    }

    func shape(_ plan: UNetPlan, _ memory: MemoryPlan? = nil) -> Shape {
        Shape(
            batch: plan.batch, passes: plan.passes, tokens: plan.tokens, height: plan.height,
            width: plan.width, options: plan.options, wrapped: plan.wrapped,
            adapters: plan.adapters.map(\.use), precision: precision, memory: memory)
    }

    /// The U-Net.
    func preparedUNet(_ plan: UNetPlan, _ memory: MemoryPlan) async throws -> PreparedUNet {
        let (whole, shallow) = unetCompilations(plan, memory)
        return PreparedUNet(whole: try await whole.value, shallow: try await shallow?.value)
    }

    /// Begins what ``preparedUNet(_:_:)`` then waits for, where there is memory for it beside the text encoders.
    func beginPreparingUNet(_ plan: UNetPlan, _ memory: MemoryPlan) {
        if memory.residency == .all { _ = unetCompilations(plan, memory) }
    }

    private func unetCompilations(_ plan: UNetPlan, _ memory: MemoryPlan) -> (
        whole: Compilation, shallow: Compilation?
    ) {
        var weights = parts.unetWeights.adapted(plan.adapters)
        if precision == .int8, let ranges {
            weights = QuantizedWeights(weights, layers: UNet.quantizedLayers(of: weights), ranges: ranges)
        }
        func compiled(_ network: Network, _ shape: Shape) -> Compilation {
            compilation(of: network, shape, weights: weights) { [weights] in
                try self.unetGraph(shape, weights: weights)
                    .slicingAttention(scoresAtOnce: memory.scoresAtOnce)
            }
        }
        let whole = shape(plan, memory)
        guard let above = whole.aboveDeepFeatures else {
            ready[.shallowUNet] = nil
            return (compiled(.unet, whole), nil)
        }
        return (compiled(.unet, whole), compiled(.shallowUNet, above))
    }

    /// How many numbers of weights a part of the U-Net has at most, where it is run in parts.
    static func partWeightCount(_ precision: Precision) -> Int {
        384_000_000 / (precision == .float32 ? 4 : 2)
    }

    /// Whether int8 was asked for, and neither the weights nor a calibration say between which numbers activations lie.
    var needsRanges: Bool {
        precision == .int8 && ranges == nil
            && !parts.unetWeights.names.contains { $0.hasSuffix(".input_range") }
    }

    func setRanges(_ ranges: ActivationRanges) { self.ranges = ranges }

    /// The U-Net in floating-point numbers, which takes note of what those of its layers are given that int8 is for. It is
    /// not kept.
    func observedUNet(_ plan: UNetPlan, _ memory: MemoryPlan) async throws -> ActivationObserver {
        (ready[.unet], ready[.shallowUNet]) = (nil, nil)
        let weights = parts.unetWeights
        let layers = UNet.quantizedLayers(of: weights)
        let (graph, observed) = try unetGraph(shape(plan, memory))
            .slicingAttention(scoresAtOnce: memory.scoresAtOnce)
            .observing(Set(layers.map { $0 + ".weight" }))
        let compiled: any CompiledGraph =
            memory.residency == .parts
            ? PartwiseGraph(
                graph, weights: weights, engine: engine, precision: .automatic,
                limit: Self.partWeightCount(precision))
            : try await engine.compile(graph, weights: weights, precision: .automatic)
        return ActivationObserver(compiled, weights: observed)
    }
}

extension CompiledNetworks.Shape {
    /// What the layers above the deep features are compiled for; nil where those are not given.
    var aboveDeepFeatures: Self? {
        guard options.deepFeatures == .given else { return nil }
        var shape = self
        shape.options.deepFeatures = .taken
        return shape
    }
}
