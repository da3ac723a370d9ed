import Checkpoints
import EngineInterface
import Networks
import Sampling
import TensorGraph

/// The U-Net's and the decoder's weights as integers of few bits, and how their activations' ranges are found.
extension CompiledNetworks {
    /// Whether int8 was asked for, and neither the weights nor a calibration say between which numbers activations lie.
    var needsRanges: Bool {
        precision == .int8 && ranges == nil
            && !parts.unetWeights.isQuantized
    }

    func setRanges(_ ranges: ActivationRanges) { self.ranges = ranges }

    /// The U-Net's weights, of integers where that was asked for.
    func quantizedUNetWeights(_ weights: any WeightStorage) -> any WeightStorage {
        var weights = weights
        if precision == .int8, let ranges {
            weights = weights.quantized(UNet.quantizedLayers(of: weights), ranges)
        }
        guard compressesWeights else { return weights }
        return QuantizedWeights(
            weights, matrices: UNet.linearLayers(of: weights), groupSize: Self.compressedGroupSize,
            bitCount: use.compressedWeightBits)
    }

    /// Whether matrices stay integers of few bits in memory while they are computed with as floating-point numbers: where that
    /// was asked for, or the model's file has them with few bits too.
    nonisolated var compressesWeights: Bool {
        use.compressedWeightBits.map { $0 != 0 }
            ?? (parts.isInBlocks && (precision == .bfloat16 || precision == .float16))
    }

    /// As large as ggml's blocks, so that theirs are what they were.
    private static let compressedGroupSize = 32

    /// The autoencoder's weights, those of the decoder of integers where their activations' ranges are known.
    var quantizedAutoencoderWeights: any WeightStorage {
        let weights = parts.autoencoderWeights
        guard precision == .int8, let ranges else { return weights }
        return weights.quantized(parts.autoencoder.quantizedDecoderLayers(of: weights), ranges)
    }

    /// The U-Net in floating-point numbers, which takes note of what those of its layers are given that int8 is for. It is
    /// not kept.
    func observedUNet(_ plan: UNetPlan, _ memory: MemoryPlan) async throws -> ActivationObserver {
        (ready[.unet], ready[.shallowUNet], spareUNets) = (nil, nil, [])
        let weights = parts.unetWeights
        let (graph, observed) = try unetGraph(shape(plan, memory))
            .slicingAttention(scoresAtOnce: memory.scoresAtOnce)
            .observing(layers: UNet.quantizedLayers(of: weights))
        let compiled: any CompiledGraph =
            memory.residency == .parts
            ? PartwiseGraph(
                graph, weights: weights, engine: engine, precision: .automatic,
                limit: Self.partWeightCount(precision))
            : try await engine.compile(graph, weights: weights, precision: .automatic)
        return ActivationObserver(compiled, weights: observed)
    }

    /// What the decoder's layers that int8 is for are given with a picture's latents, of which as much is decoded as is
    /// decoded at a time.
    func observedDecoder(_ latents: Latents, _ memory: MemoryPlan) async throws -> ActivationRanges {
        ready[.decoder] = nil
        let weights = parts.autoencoderWeights
        let layers = parts.autoencoder.quantizedDecoderLayers(of: weights)
        guard !layers.isEmpty else { return ActivationRanges() }
        let side = memory.tile?.size ?? max(latents.height, latents.width)
        let own = latents.corner(height: min(side, latents.height), width: min(side, latents.width))
        let (graph, observed) = try decoderGraph(height: own.height, width: own.width)
            .slicingAttention(scoresAtOnce: memory.autoencoderScoresAtOnce)
            .observing(layers: layers)
        let compiled = try await engine.compile(graph, weights: weights, precision: .automatic)
        let observer = ActivationObserver(compiled, weights: observed)
        _ = try await observer.run([
            "latents": HostTensor(
                parts.autoencoder.unscaled(own.values), shape: TensorGraph.Shape(own.shape))
        ])
        return observer.ranges
    }
}

extension WeightStorage {
    /// The weights, of integers in those of the layers whose activations' ranges are known.
    func quantized(_ layers: Set<String>, _ ranges: ActivationRanges) -> any WeightStorage {
        QuantizedWeights(self, layers: layers.filter { ranges[$0] != nil }, ranges: ranges)
    }
}

extension Graph {
    fileprivate func observing(layers: Set<String>) throws -> (graph: Graph, weights: [String]) {
        try observing(Set(layers.map { $0 + ".weight" }))
    }
}
