import Checkpoints
import EngineInterface
import Networks
import TensorGraph

/// What a U-Net is compiled for.
struct UNetPlan: Sendable {
    /// How many pictures.
    let batch: Int
    /// How many contexts each picture is predicted for at once.
    let passes: Int
    /// Whether each context can have a run of its own instead.
    var canRunPassesAlone = false
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
            batch: plan.batch,
            passes: memory?.runsPassesAlone == true && plan.canRunPassesAlone ? 1 : plan.passes,
            tokens: plan.tokens, height: plan.height,
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
        let weights = quantizedUNetWeights(parts.unetWeights.adapted(plan.adapters))
        func compiled(_ network: Network, _ shape: Shape) -> Compilation {
            compilation(of: network, shape, weights: weights) {
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

    /// Puts the U-Net aside that was used last, where one of the same but for the number of pictures is asked for and such
    /// ones are small; else lets all go that were put aside.
    ///
    /// - Returns: What was put aside before for the shape, which is the one in use then.
    func spareUNet(for shape: Shape) -> Compilation? {
        guard let last = ready[.unet], keepsSpareUNets(shape) else {
            spareUNets = []
            return nil
        }
        var same = shape
        same.batch = last.shape.batch
        guard same == last.shape else {
            spareUNets = []
            return nil
        }
        let known = spareUNets.first { $0.shape == shape }
        spareUNets.removeAll { $0.shape == shape }
        spareUNets.append(last)
        if spareUNets.count > 2 { spareUNets.removeFirst() }
        ready[.unet] = known
        return known?.compilation
    }

    /// Whether all that is ready takes so little of the memory that there is room for more.
    private func keepsSpareUNets(_ shape: Shape) -> Bool {
        guard shape.memory?.residency == .all, let fitting else { return false }
        return (fitting.bytes - MemoryEstimate.process) * 16 <= use.limit ?? memory
    }

    /// How many numbers of weights a part of the U-Net has at most, where it is run in parts.
    static func partWeightCount(_ precision: Precision) -> Int {
        384_000_000 / (precision == .float32 ? 4 : 2)
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
