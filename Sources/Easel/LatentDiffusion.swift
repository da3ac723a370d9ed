import Conditioning
import EngineInterface
import Foundation
import Imaging
import Sampling
import Synchronization
import TensorGraph

extension Model {
    /// A request's pictures.
    func makePictures(
        _ request: Request, stop: EarlyStop? = nil, tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws {
        let plan = try GenerationPlan(request, for: self)
        try await makePictures(of: [PlannedRequest(plan: plan, stop: stop, tell: tell)])
    }

    /// A request's pictures, or those of several requests in one batch: the arrows of Rombach et al. 2022, figure 3, from
    /// a prompt, and a picture where there is one to start from, to pictures.
    func makePictures(of requests: [PlannedRequest]) async throws {
        for request in requests {
            for warning in request.plan.warnings { request.tell(.warning(warning)) }
        }
        let tell: @Sendable (GenerationEvent) -> Void = { event in
            for request in requests { request.tell(event) }
        }
        // What goes wrong is told at once, and not when a large file was read.
        let hashes = Task { await recordedHashes(requests.map(\.plan)) }
        await checksums.begin()
        var watch = Stopwatch(tell: tell)

        let plan = requests[0].plan
        let batches = PictureBatch.batches(of: requests)
        try await prepareQuantization(&watch, tell)
        let (memory, bytes) = try await networks.planMemory(
            plan.unet(batch: batches[0].count), encodes: plan.encodesPicture)
        await networks.letGo(notOf: memory)
        do {
            let contexts = try await encodedPrompts(
                requests.map(\.plan), memory, &watch, unetBatch: batches[0].count, tell)
            await networks.letGo(after: .encodingPrompts, memory)
            for (index, batch) in batches.enumerated() {
                if index > 0, requests[0].stop?.requested == .request { break }
                let made = try await latents(of: batch, contexts, memory, &watch, tell)
                try await checksums.validate()
                try await decode(made, batch, memory, bytes, hashes: await hashes.value, &watch, tell)
                await networks.letGo(after: .decoding, memory)
                for request in requests { request.stop?.batchIsDone() }
            }
        } catch {
            await networks.letGo(memory)
            throw error
        }
    }

    /// What a batch's pictures are decoded from: each request's.
    private func latents(
        of batch: PictureBatch, _ contexts: [PromptContexts], _ memory: MemoryPlan, _ watch: inout Stopwatch,
        _ tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws -> [DenoisedPictures] {
        let plan = batch.plan
        let sampler = try plan.makeSampler()
        var noise = batch.noise()
        let start = try await startingPoint(plan, sampler, &noise, memory, &watch)
        await networks.letGo(after: .encodingPicture, memory)
        guard plan.takesSteps else {
            return batch.members.map { DenoisedPictures(latents: start.latents.pictures($0.places)) }
        }
        let made = try await denoised(start, batch, contexts, sampler, noise, memory, &watch, tell)
        await networks.letGo(after: .denoising, memory)
        return made
    }

    private func recordedHashes(_ plans: [GenerationPlan]) async -> [RecordedHashes] {
        var hashes: [RecordedHashes] = []
        for plan in plans { hashes.append(await RecordedHashes(plan, self)) }
        return hashes
    }

    /// Each plan's prompts' embeddings.
    ///
    /// - Parameters:
    ///   - plans: That are made in one batch.
    ///   - unetBatch: For how many pictures the U-Net is made ready meanwhile; nil for not at all.
    func encodedPrompts(
        _ plans: [GenerationPlan], _ memory: MemoryPlan, _ watch: inout Stopwatch, unetBatch: Int?,
        _ tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws -> [PromptContexts] {
        let plan = plans[0]
        let textEncoders = try await watch.time(.loadingTextEncoder) {
            // The U-Net, which takes longest, is made ready beside the prompts.
            if plan.takesSteps, let unetBatch {
                await networks.beginPreparingUNet(plan.unet(batch: unetBatch), memory)
            }
            return try await networks.preparedTextEncoders(
                clipSkip: plan.request.clipSkip, hidesTokens: plan.hidesTokens, learnsWords: plan.learnsWords,
                adapters: plan.adapters)
        }
        await tellWarnings(tell)
        return try await watch.time(.encodingPrompt) {
            var contexts: [PromptContexts] = []
            for plan in plans { contexts.append(try await encode(plan, textEncoders)) }
            return contexts
        }
    }

    /// A batch's latents after all steps, or after those that were taken until they were stopped: each request's.
    ///
    /// - Parameters:
    ///   - contexts: One for each of the batch's requests.
    ///   - unet: What predicts; nil takes the model's own, made ready as the plan asks.
    func denoised(
        _ start: StartingPoint, _ batch: PictureBatch, _ contexts: [PromptContexts],
        _ sampler: any Sampler, _ noise: PictureNoise, _ memory: MemoryPlan, _ watch: inout Stopwatch,
        unet: (any CompiledGraph)? = nil, _ tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws -> [DenoisedPictures] {
        let (plan, request) = (batch.plan, batch.plan.request)
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
            contexts: BatchContexts(contexts, pictures: batch.members.map(\.pictures.count)),
            stepCount: sampler.stepCount, seen: start.seen,
            pictureScale: plan.pictureScale,
            runsPassesAlone: plan.runsPassesAlone || memory.runsPassesAlone && plan.canRunPassesAlone,
            perturbedScale: request.perturbedAttentionScale,
            freeU: request.freeU, guidanceToTell: plan.guidanceToTell)
        let showsPreviews = batch.members.contains { $0.request.plan.request.previewInterval != nil }
        let colors = showsPreviews ? try await networks.latentColors() : nil
        // What became of the pictures that were to take no more steps.
        let stopped = Mutex<[Int: DenoisedPictures]>([:])
        let latents = try await watch.time(.denoising) { [noise] in
            try await Sampling.denoise(
                start.latents, with: sampler, noise: noise, keeping: start.kept,
                denoiser: { try await denoiser($0, timestep: $1, step: $2) },
                report: { batch.tell($0, colors) },
                isEnough: { step in
                    stopped.withLock { stopped in
                        for (index, member) in batch.members.enumerated()
                        where stopped[index] == nil && member.request.stop?.requested != nil {
                            stopped[index] = DenoisedPictures(
                                latents: step.predictedOriginal.pictures(member.places),
                                stepsTaken: step.index + 1)
                        }
                        return batch.members.indices.allSatisfy {
                            stopped[$0] != nil || !batch.members[$0].request.isWanted()
                        }
                    }
                })
        }
        return stopped.withLock { stopped in
            batch.members.enumerated().map { index, member in
                // Of one request alone, the loop has put back what is kept of a picture.
                let own = DenoisedPictures(
                    latents: latents.pictures(member.places), stepsTaken: stopped[index]?.stepsTaken)
                return batch.members.count == 1 ? own : stopped[index] ?? own
            }
        }
    }

    /// A batch's pictures, one at a time.
    private func decode(
        _ made: [DenoisedPictures], _ batch: PictureBatch, _ memory: MemoryPlan, _ estimate: Int,
        hashes: [RecordedHashes], _ watch: inout Stopwatch,
        _ tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws {
        let plan = batch.plan
        let decoder = try await watch.time(.loadingDecoder) {
            try await networks.preparedDecoder(
                height: plan.latentHeight, width: plan.latentWidth, wrapped: plan.wrapped, memory)
        }
        await tellWarnings(tell)
        for (index, member) in batch.members.enumerated() where member.request.isWanted() {
            do {
                try await decode(
                    made[index], member, decoder, memory, estimate, hashes: hashes[index], &watch)
                member.request.end?(nil)
            } catch let error where !(error is CancellationError) {
                guard let end = member.request.end else { throw error }
                end(error)
            }
        }
    }

    /// A request's pictures of a batch, one at a time.
    private func decode(
        _ made: DenoisedPictures, _ member: PictureBatch.Member, _ decoder: any CompiledGraph,
        _ memory: MemoryPlan, _ estimate: Int, hashes: RecordedHashes, _ watch: inout Stopwatch
    ) async throws {
        let (plan, tell) = (member.request.plan, member.request.tell)
        for (offset, index) in member.pictures.enumerated() {
            let own = made.latents.picture(offset)
            let image = try await watch.time(.decoding) {
                let decoded = try await decode(own, decoder, wrapped: plan.wrapped, memory, tell)
                if plan.request.previewInterval != nil { await networks.learnColors(own, decoded) }
                return plan.canvas?.finished(decoded) ?? decoded
            }
            tell(
                .finished(
                    GeneratedPicture(
                        index: plan.request.firstPicture + index, seed: plan.seed(ofPicture: index),
                        sampler: plan.sampler.name, image: image,
                        metadata: plan.metadata(ofPicture: index, model: self, hashes: hashes),
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
