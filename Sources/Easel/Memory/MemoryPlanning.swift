import EngineInterface
import Networks
import TensorGraph

extension CompiledNetworks {
    /// How the memory is to be used for a request: the fastest mode that is asked for and fits; and how much the process
    /// takes then, in bytes.
    ///
    /// - Throws: ``RequestError/memory(width:height:batchSize:needed:available:)`` or
    ///   ``RequestError/memoryLimit(width:height:batchSize:needed:limit:mode:)`` where none does, `GraphError`.
    func planMemory(_ plan: UNetPlan, encodes: Bool) throws -> (plan: MemoryPlan, bytes: Int) {
        let shape = shape(plan)
        if let fitting, fitting.shape == shape, fitting.encodes || !encodes {
            return (fitting.plan, fitting.bytes)
        }
        let factor = parts.autoencoder.factor
        let available = use.limit.map { $0 - MemoryEstimate.process } ?? memory
        var (needed, smallest) = (Int.max, use.mode)
        for mode in use.modes {
            let candidate = MemoryPlan(mode, use, height: plan.height, width: plan.width, factor: factor)
            let peak = try estimate(self.shape(plan, candidate), encodes: encodes, candidate).peak
            if peak <= available {
                fitting = (shape, encodes, candidate, peak + MemoryEstimate.process)
                return (candidate, peak + MemoryEstimate.process)
            }
            if peak < needed { (needed, smallest) = (peak, mode) }
        }
        let (width, height) = (plan.width * factor, plan.height * factor)
        if let limit = use.limit {
            throw RequestError.memoryLimit(
                width: width, height: height, batchSize: plan.batch, needed: needed + MemoryEstimate.process,
                limit: limit, mode: smallest)
        }
        throw RequestError.memory(
            width: width, height: height, batchSize: plan.batch, needed: needed, available: available)
    }

    /// How much memory a request takes in each mode, in bytes: the process's, at most.
    func estimates(_ plan: UNetPlan, encodes: Bool) throws -> [(mode: MemoryMode, bytes: Int)] {
        try MemoryMode.allCases.filter { $0 != .automatic }.map { mode in
            let candidate = MemoryPlan(
                mode, use, height: plan.height, width: plan.width, factor: parts.autoencoder.factor)
            return (
                mode,
                try estimate(shape(plan, candidate), encodes: encodes, candidate).peak
                    + MemoryEstimate.process
            )
        }
    }

    /// Which part of the U-Net's weights' memory is left where its matrices are compressed.
    private var compressedShare: Double {
        guard compressesWeights else { return 1 }
        let weights = quantizedUNetWeights(parts.unetWeights)
        let size = precision == .float32 ? 4.0 : 2.0
        var (whole, left) = (0.0, 0.0)
        for name in parts.unetWeights.names {
            guard let count = parts.unetWeights.entry(named: name)?.shape.checkedCount else { continue }
            whole += Double(count) * size
            let entry = weights.entry(named: name)
            guard let entry, entry.elementType.isScaled, entry.shape.rank == 3 else {
                left += Double(count) * size
                continue
            }
            // And a scale of four bytes for each group.
            left += Double(entry.elementType.byteCount(of: count) + 4 * count / entry.shape[2])
        }
        return whole > 0 ? left / whole : 1
    }

    private func estimate(_ shape: Shape, encodes: Bool, _ memory: MemoryPlan) throws -> MemoryEstimate {
        let factor = parts.autoencoder.factor
        func autoencoder(_ network: Network) throws -> MemoryEstimate.Network {
            let scale = network == .encoder ? factor : 1
            let own = Shape(
                batch: 1, height: shape.height * scale, width: shape.width * scale, wrapped: shape.wrapped,
                precision: precision, memory: memory)
            let factors = MemoryEstimate.Network.Factors.autoencoder(precision)
            if let tiled = try tilePlan(network, own) {
                let keeps = memory.residency == .all || memory.residency == .unet
                return .init(
                    weights: tiled.weightCount(keeps: keeps), values: tiled.peakValueCount,
                    precision: precision, factors)
            }
            let graph =
                network == .encoder
                ? try encoderGraph(height: own.height, width: own.width)
                : try decoderGraph(height: own.height, width: own.width)
            return .init(
                weights: graph.weightCount, values: graph.peakValueCount, precision: precision, factors)
        }
        let unet = try unetGraph(shape)
        // Both stay ready, each with the memory of its runs.
        let shallow = try shape.aboveDeepFeatures.map { try unetGraph($0) }
        let cuts =
            memory.residency == .parts
            ? unet.cuts(limitingWeightsTo: Self.partWeightCount(precision)) : []
        let texts = try parts.textEncoders.map { encoder in
            try CLIPTextEncoder(encoder.configuration).graph(
                batch: 1, options: encoder.options(clipSkip: 1, hidesTokens: false, learnsWords: false),
                weights: encoder.weights
            ).weightCount
        }.reduce(0, +)
        let factors = MemoryEstimate.Network.Factors.unet(precision)
        return MemoryEstimate(
            textEncoders: .init(weights: texts, values: 0, precision: precision, .textEncoder),
            unet: .init(
                weights: memory.residency == .parts
                    ? unet.divided(at: cuts).map(\.weightCount).max() ?? 0
                    : unet.weightCount + (shallow?.weightCount ?? 0),
                values: unet.peakValueCount
                    + (memory.residency == .parts ? 0 : shallow?.peakValueCount ?? 0),
                precision: precision,
                .init(weights: factors.weights * compressedShare, values: factors.values)),
            encoder: encodes ? try autoencoder(.encoder) : nil, decoder: try autoencoder(.decoder),
            residency: memory.residency)
    }
}
