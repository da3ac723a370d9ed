import Conditioning
import EngineInterface
import Foundation
import Imaging
import Sampling
import Synchronization
import TensorGraph

extension Model {
    /// A request's pictures: the arrows of Rombach et al. 2022, figure 3, from a prompt, and a picture where there is
    /// one to start from, to pictures.
    func makePictures(
        _ request: Request, stop: EarlyStop? = nil, tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws {
        let plan = try GenerationPlan(request, for: self)
        for warning in plan.warnings { tell(.warning(warning)) }
        async let hashes = RecordedHashes(plan, self)
        var watch = Stopwatch(tell: tell)

        try await prepareQuantization(&watch, tell)
        let (memory, bytes) = try await networks.planMemory(
            plan.unet(batch: plan.batches[0].count), encodes: plan.encodesPicture)
        let contexts = try await encodedPrompts(plan, memory, &watch, tell)
        await networks.letGo(after: .encodingPrompts, memory)
        for batch in plan.batches {
            if batch.lowerBound > 0, stop?.requested == .request { break }
            let sampler = try plan.makeSampler()
            var noise = plan.noise(for: batch)
            let start = try await startingPoint(plan, sampler, &noise, memory, &watch)
            await networks.letGo(after: .encodingPicture, memory)
            var made = DenoisedBatch(latents: start.latents)
            if plan.takesSteps {
                made = try await denoised(
                    start, plan, batch, contexts, sampler, noise, memory, &watch, stop: stop, tell)
                await networks.letGo(after: .denoising, memory)
            }
            try await decode(made, plan, batch, memory, bytes, hashes: await hashes, &watch, tell)
            await networks.letGo(after: .decoding, memory)
            stop?.batchIsDone()
        }
    }

    /// The prompts' embeddings.
    ///
    /// - Parameter besideUNet: Whether the U-Net is made ready meanwhile.
    func encodedPrompts(
        _ plan: GenerationPlan, _ memory: MemoryPlan, _ watch: inout Stopwatch, besideUNet: Bool = true,
        _ tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws -> PromptContexts {
        let textEncoders = try await watch.time(.loadingTextEncoder) {
            // The U-Net, which takes longest, is made ready beside the prompts.
            if plan.takesSteps, besideUNet {
                await networks.beginPreparingUNet(plan.unet(batch: plan.batches[0].count), memory)
            }
            return try await networks.preparedTextEncoders(
                clipSkip: plan.request.clipSkip, hidesTokens: plan.hidesTokens, learnsWords: plan.learnsWords,
                adapters: plan.adapters)
        }
        await tellWarnings(tell)
        return try await watch.time(.encodingPrompt) { try await encode(plan, textEncoders) }
    }

    /// A batch's latents after all steps, or after those that were taken until they were stopped.
    ///
    /// - Parameter unet: What predicts; nil takes the model's own, made ready as the plan asks.
    func denoised(
        _ start: StartingPoint, _ plan: GenerationPlan, _ batch: Range<Int>, _ contexts: PromptContexts,
        _ sampler: any Sampler, _ noise: PictureNoise, _ memory: MemoryPlan, _ watch: inout Stopwatch,
        unet: (any CompiledGraph)? = nil, stop: EarlyStop? = nil,
        _ tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws -> DenoisedBatch {
        let request = plan.request
        let unet = try await watch.time(.loadingUNet) {
            if let unet { return PreparedUNet(whole: unet) }
            return try await networks.preparedUNet(plan.unet(batch: batch.count), memory)
        }
        await tellWarnings(tell)
        let denoiser = GuidedDenoiser(
            unet: unet.whole,
            cached: unet.shallow.map {
                DeepCachedUNet(
                    whole: unet.whole, shallow: $0, interval: request.deepCache?.interval ?? 1)
            }, guidance: plan.isGuided ? plan.guidance : nil, weights: plan.weights,
            contexts: contexts, pictures: batch.count, stepCount: sampler.stepCount, seen: start.seen,
            pictureScale: plan.pictureScale,
            runsPassesAlone: plan.runsPassesAlone || memory.runsPassesAlone && plan.canRunPassesAlone,
            perturbedScale: request.perturbedAttentionScale,
            freeU: request.freeU, guidanceToTell: plan.guidanceToTell)
        let colors = request.previewInterval == nil ? nil : try await networks.latentColors()
        let stepsTaken = Mutex<Int?>(nil)
        let latents = try await watch.time(.denoising) { [noise] in
            try await Sampling.denoise(
                start.latents, with: sampler, noise: noise, keeping: start.kept,
                denoiser: { try await denoiser($0, timestep: $1, step: $2) },
                report: { step in
                    tell(
                        .step(
                            Step(
                                step, picture: request.firstPicture + batch.lowerBound,
                                previews: plan.previews(step, colors))))
                },
                isEnough: { steps in
                    guard stop?.requested != nil else { return false }
                    stepsTaken.withLock { $0 = steps }
                    return true
                })
        }
        return DenoisedBatch(latents: latents, stepsTaken: stepsTaken.withLock { $0 })
    }

    /// A batch's pictures, one at a time.
    private func decode(
        _ made: DenoisedBatch, _ plan: GenerationPlan, _ batch: Range<Int>, _ memory: MemoryPlan,
        _ estimate: Int, hashes: RecordedHashes, _ watch: inout Stopwatch,
        _ tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws {
        let request = plan.request
        let decoder = try await watch.time(.loadingDecoder) {
            try await networks.preparedDecoder(
                height: plan.latentHeight, width: plan.latentWidth, wrapped: plan.wrapped, memory)
        }
        await tellWarnings(tell)
        for (offset, index) in batch.enumerated() {
            let own = made.latents.picture(offset)
            let image = try await watch.time(.decoding) {
                let decoded = try await decode(own, decoder, wrapped: plan.wrapped, memory, tell)
                if request.previewInterval != nil { await networks.learnColors(own, decoded) }
                return plan.canvas?.finished(decoded) ?? decoded
            }
            tell(
                .finished(
                    GeneratedPicture(
                        index: request.firstPicture + index, seed: plan.seed(ofPicture: index),
                        sampler: plan.sampler.name, image: image,
                        metadata: plan.metadata(ofPicture: index, size: image, model: self, hashes: hashes),
                        record: GenerationRecord(
                            plan, picture: index, model: self, stepsTaken: made.stepsTaken), latents: own,
                        memory: memory.mode,
                        memoryEstimate: estimate, timings: watch.timings)))
        }
    }

    /// Tells what was noticed while networks were made ready.
    func tellWarnings(_ tell: (GenerationEvent) -> Void) async {
        for warning in await networks.takeWarnings() { tell(.warning(warning)) }
    }

    /// Latents to a picture; in full precision where half precision overflows.
    private func decode(
        _ latents: Latents, _ decoder: any CompiledGraph, wrapped: WrappedAxes, _ memory: MemoryPlan,
        _ tell: (GenerationEvent) -> Void
    ) async throws -> Image {
        let configuration = parts.autoencoder
        let unscaled = HostTensor(
            configuration.unscaled(latents.values), shape: Shape(latents.shape))
        var picture = try await decoder.run(["latents": unscaled]).output("pictures")
        if !picture.floats.allSatisfy(\.isFinite), precision != .float32 {
            tell(.warning(.decodedInFullPrecision))
            picture = try await networks.preparedDecoder(
                height: latents.height, width: latents.width, wrapped: wrapped, inFullPrecision: true, memory
            ).run(["latents": unscaled]).output("pictures")
        }
        guard picture.floats.allSatisfy(\.isFinite) else {
            throw GenerationError.notFinite(network: "VAE decoder", model: name, precision: .float32)
        }
        return Image(
            decoded: picture.floats, width: latents.width * configuration.factor,
            height: latents.height * configuration.factor)
    }
}

/// What a batch's steps came to.
struct DenoisedBatch {
    let latents: Latents
    /// Nil where all were.
    var stepsTaken: Int?
}

extension [String: HostTensor] {
    /// The output of that name, which the graph declares.
    func output(_ name: String) -> HostTensor {
        guard let value = self[name] else { preconditionFailure("the graph has no output \(name)") }
        return value
    }
}

/// Why the model made no picture.
public enum GenerationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A network gave values that are not numbers.
    case notFinite(network: String, model: String, precision: Precision)

    public var description: String {
        switch self {
        case .notFinite(let network, let model, let precision):
            "the \(network) of \(model) gave values that are not finite numbers in \(precision.rawValue); "
                + "its weights may be damaged"
                + (precision == .float32 ? "" : ", or overflow in this precision: try --precision f32")
        }
    }
}
