import Conditioning
import Foundation
import Imaging
import Networks
import Sampling
import TensorGraph

/// A request made definite for a model: sizes in latent cells, a sampler, a seed, tokens. Making it finds
/// everything that is wrong with the request before any network is computed.
struct GenerationPlan: Sendable {
    let request: Request
    let seed: UInt64
    /// In pixels.
    let width: Int
    /// In pixels.
    let height: Int
    let latentHeight: Int
    let latentWidth: Int
    /// What the request starts from; nil for noise.
    let canvas: Canvas?
    /// Whether the encoder makes latents of a picture.
    let encodesPicture: Bool
    /// What the U-Net is asked with in each step: the negative prompt, with guidance, and each part of the prompt.
    let prompts: [Subprompt]
    /// How many of them are the negative prompt's.
    let unledPasses: Int
    /// How strongly each part of the prompt leads.
    let weights: [Float]
    let emphasis: Emphasis
    /// The LoRAs of the request and of the prompt, and what they change of the model.
    let loras: [LoRA]
    let adapters: [LoadedAdapter]
    /// The words that prompts may have beside the vocabulary's.
    let embeddings: LearnedEmbeddings
    /// How many chunks there are of each prompt, once the shorter ones are as long as the longest.
    let chunkCount: Int
    /// Whether they are by being repeated; else they are filled up with the empty prompt.
    private let repeatsPrompts: Bool
    private let tokensPerChunk: Int
    /// Whether there are tokens that none attends to.
    let hidesTokens: Bool
    /// What the seed's noise is drawn for, in latent cells; nil for the pictures' own size.
    private let noiseSize: NoiseSize?
    /// Whether the prompt leads away from the negative prompt.
    let isGuided: Bool
    /// The guidance scale that the U-Net itself is told, where it was distilled with one.
    let guidanceToTell: Float?
    /// What the U-Net is told of a picture's size in each pass, where it is told of it.
    let sizeNumbers: [[Float]]
    /// Whether the first pass's embeddings are zero, for want of a negative prompt.
    let zeroesNegativePrompt: Bool
    let sampler: SamplerDescription
    let samplerOptions: SamplerOptions
    /// How many steps the sampler is made for, those that are left out included.
    private let samplerSteps: Int
    let scheduler: SchedulerConfiguration
    /// Whether there is anything to denoise.
    let takesSteps: Bool
    let guidance: ClassifierFreeGuidance
    let warnings: [Warning]
    /// The indices of the pictures that are computed together.
    let batches: [Range<Int>]

    /// - Throws: ``RequestError``, `SamplingError`, `PromptError`, ``LoRAError``, `AdapterError`, ``EmbeddingError``,
    ///   `TextualInversionError`.
    init(_ request: Request, for model: Model) throws {
        try request.check()
        self.request = request
        let parts = model.parts
        let factor = parts.autoencoder.factor
        let own = request.ownSize(factor: factor) ?? (model.width, model.height)
        (width, height) = (request.width ?? own.width, request.height ?? own.height)
        latentHeight = try Request.latentSize(axis: "height", pixels: height, factor: factor)
        latentWidth = try Request.latentSize(axis: "width", pixels: width, factor: factor)
        noiseSize = try request.seedSize.map {
            NoiseSize(
                height: try Request.latentSize(axis: "seed height", pixels: $0.height, factor: factor),
                width: try Request.latentSize(axis: "seed width", pixels: $0.width, factor: factor))
        }
        try parts.sight?.check(request, model: model.name)
        if request.depthMap != nil, parts.sight != .depth {
            throw RequestError.notPossible(
                field: "a depth map", model: model.name, reason: "it does not see how far away things are")
        }
        if request.imageGuidanceScale != nil, parts.sight != .picture {
            throw RequestError.notPossible(
                field: "an image guidance scale", model: model.name, reason: "it does not edit pictures")
        }
        canvas = try Canvas(request, width: width, height: height)
        // A second pass may start from the first one's latents.
        let hasLatents = request.firstPass?.settings.upscaler == .latent && parts.sight == nil
        encodesPicture = canvas != nil && !hasLatents || parts.isForInpainting
        if encodesPicture, let reason = parts.encoderMissing {
            throw RequestError.notPossible(
                field: canvas == nil ? "inpainting" : "starting from a picture", model: model.name,
                reason: reason)
        }
        seed = request.seed ?? UInt64(UInt32.random(in: 0...UInt32.max))
        guidance = try ClassifierFreeGuidance(
            scales: (request.guidanceSchedule.isEmpty ? [request.guidanceScale] : request.guidanceSchedule)
                .map { Double($0) }, interval: request.guidanceInterval, rescale: request.guidanceRescale)
        var scheduler = parts.scheduler
        scheduler.timestepSpacing = request.timestepSpacing ?? scheduler.timestepSpacing
        scheduler.rescaleBetasZeroSNR = request.zeroTerminalSNR ?? scheduler.rescaleBetasZeroSNR
        scheduler.predictionType = request.predictionType ?? scheduler.predictionType
        self.scheduler = scheduler

        var warnings: [Warning] = []
        if let image = request.initImage, let mask = request.inpainting?.mask,
            image.width != mask.width || image.height != mask.height
        {
            warnings.append(
                .maskResized(
                    fromWidth: mask.width, fromHeight: mask.height, toWidth: image.width,
                    toHeight: image.height))
        }
        if parts.unet.guidanceEncodingWidth == nil, let distilled = request.distilledLoRA ?? model.distilled,
            !distilled.settings.fit(steps: request.stepCount, guidanceScale: request.guidanceScale)
        {
            warnings.append(
                .distilledModel(
                    word: distilled.word, steps: request.stepCount, guidanceScale: request.guidanceScale))
        }
        if let name = request.sampler {
            sampler = try SamplerCatalogue.named(request.profile.samplerName(name))
        } else {
            let chosen = SamplerCatalogue.default(for: scheduler)
            sampler = chosen.sampler
            if let missing = chosen.missing {
                warnings.append(.samplerReplaced(named: missing, by: chosen.sampler.name))
            }
        }
        let planned = request.plannedSteps(startsFromPicture: parts.sight != .picture)
        samplerOptions = SamplerOptions(
            eta: request.eta,
            levels: NoiseLevelOptions(
                schedule: request.schedule, rho: request.rho, sigmas: request.sigmas,
                timesteps: request.timesteps,
                convention: request.profile.convention),
            firstStep: planned.leftOut)
        // Levels that were given are all there are.
        samplerSteps = request.sigmas == nil && request.timesteps == nil ? planned.planned : request.steps
        // The sampler is made once here, for what it refuses, and again for each batch.
        takesSteps = try !sampler.sampler(scheduler, steps: samplerSteps, options: samplerOptions).isFinished

        let length = parts.positions
        // Of AUTOMATIC1111's samplers those of the second order count as two calls a step.
        let calls = request.profile.countsCalls && sampler.callsPerStep == 2 ? 2 : 1
        let (steps, firstSteps) = (
            calls * request.stepCount, request.firstPass.map { calls * $0.stepCount }
        )
        let extras = ExtraNetworks(request.prompt, syntax: request.promptSyntax)
        if let fault = extras.fault { throw fault }
        loras = try request.loras + extras.loras.map { try LoRA($0, in: request.loraFolders) }
        adapters = try model.adapters.load(loras)
        for adapter in adapters {
            let (file, updates) = (adapter.use.file.path, adapter.updates)
            if !updates.unknownLayers.isEmpty {
                warnings.append(.loraLayersUnknown(file: file, layers: updates.unknownLayers))
            }
            if !updates.unknownTensors.isEmpty {
                warnings.append(.loraTensorsUnknown(file: file, tensors: updates.unknownTensors))
            }
        }
        embeddings = try model.embeddings.load(request, bundled: adapters.flatMap(\.updates.words)) {
            warnings.append($0)
        }
        let tokenizer = parts.tokenizer.learning(
            embeddings.words, syntax: request.promptSyntax.learnedWords)
        let prompt = try ParsedPrompt(
            extras.text, syntax: request.promptSyntax, steps: steps, after: firstSteps, tokenizer: tokenizer,
            length: length)
        let negative = try ParsedPrompt(
            request.negativePrompt, syntax: request.promptSyntax, steps: steps, after: firstSteps,
            tokenizer: tokenizer, length: length, composes: false)
        for (field, parsed) in [("prompt", prompt), ("negative prompt", negative)] where parsed.cutTokens > 0
        {
            warnings.append(.promptCut(field: field, tokens: parsed.cutTokens, text: parsed.cutText))
        }
        // A model that was distilled with guidance is told its scale, and led by it alone.
        guidanceToTell = parts.unet.guidanceEncodingWidth == nil ? nil : request.guidanceScale
        if guidanceToTell != nil, prompt.subprompts.count > 1 {
            throw RequestError.notPossible(
                field: "a prompt of several parts (AND)", model: model.name,
                reason: "it was distilled with guidance, and is led by one part alone")
        }
        isGuided = guidanceToTell == nil && (guidance.isActive || prompt.subprompts.count > 1)
        // The model's prediction without the picture comes first, where it edits pictures.
        unledPasses = isGuided && parts.sight == .picture ? 2 : isGuided ? 1 : 0
        prompts =
            Array(repeating: negative.subprompts, count: unledPasses).flatMap { $0 } + prompt.subprompts
            + (request.perturbedAttentionScale > 0 ? Array(prompt.subprompts.prefix(1)) : [])
        weights = prompt.subprompts.map(\.weight)
        zeroesNegativePrompt =
            isGuided && parts.zeroesEmptyPrompt && request.negativePrompt.isEmpty
            && request.profile != .comfyui
        let size = PixelSize(width: width, height: height)
        sizeNumbers = prompts.indices.map { [unledPasses] pass in
            request.sizeConditioning.numbers(
                count: parts.sizeNumberCount, size: size, isNegative: pass < unledPasses)
        }
        emphasis = request.effectiveEmphasis
        let counts = prompts.map(\.passageCount)
        let multiple = counts.reduce(1, leastCommonMultiple)
        repeatsPrompts = request.profile.leadsAtOwnLength && multiple <= ParsedPrompt.chunkLimit
        chunkCount = repeatsPrompts ? multiple : counts.max() ?? 1
        let passages = prompts.flatMap(\.stages).map(\.passages)
        hidesTokens = passages.joined().contains { $0.terms.contains { !$0.chunk.hidden.isEmpty } }
        tokensPerChunk = length
        let layers = parts.textEncoders.map(\.layers).min() ?? 1
        guard (1...layers).contains(request.clipSkip) else {
            throw RequestError.outOfRange(
                field: "CLIP skip", value: "\(request.clipSkip)", range: "from 1 to \(layers)")
        }
        self.warnings = warnings
        // Pictures whose steps depend on them are the same in a batch only if they are alone in it.
        let batchSize = sampler.isAdaptive ? 1 : request.batchSize
        batches = stride(from: 0, to: request.count, by: batchSize).map {
            $0..<min($0 + batchSize, request.count)
        }
    }

    /// How many chunks a prompt's stages have before it is repeated, the empty prompt's that fill them up among them.
    func chunkCount(of prompt: Subprompt) -> Int { repeatsPrompts ? prompt.passageCount : chunkCount }

    /// Whether the text encoders take embeddings beside their vocabulary's.
    var learnsWords: Bool { !embeddings.words.isEmpty }

    /// What the U-Net is compiled for.
    func unet(batch: Int) -> UNetPlan {
        UNetPlan(
            batch: seesByPass ? batch * prompts.count : batch,
            passes: runsPassesAlone || seesByPass ? 1 : prompts.count,
            canRunPassesAlone: canRunPassesAlone, tokens: chunkCount * tokensPerChunk,
            height: latentHeight, width: latentWidth,
            options: UNet.Options(
                freeU: request.freeU?.version, perturbsAttention: isPerturbed,
                deepFeatures: request.deepCache.flatMap { $0.interval > 1 ? .given : nil },
                tokenMergingRatio: request.tokenMergingRatio),
            wrapped: wrapped, adapters: adapters)
    }

    /// Whether each pass is run alone: where some steps are not guided, they can leave out what they do not need.
    var runsPassesAlone: Bool { canRunPassesAlone && !guidance.isConstant }

    /// Whether the passes have nothing to do with each other.
    var canRunPassesAlone: Bool { isGuided && !isPerturbed && !seesByPass }

    /// Whether the U-Net sees something else beside the latents in each pass.
    var seesByPass: Bool { unledPasses > 1 }
    /// How strongly the picture that is edited leads; nil where it is not given to a pass alone.
    var pictureScale: Float? { seesByPass ? request.imageGuidanceScale ?? 1.5 : nil }

    /// Whether the last pass is of the prompt's first part with perturbed attention.
    var isPerturbed: Bool { request.perturbedAttentionScale > 0 }

    /// Which axes of the picture have no ends.
    var wrapped: WrappedAxes {
        WrappedAxes(
            rows: request.tiling == .y || request.tiling == .both,
            columns: request.tiling == .x || request.tiling == .both)
    }

    /// The sampler, at its first step.
    func makeSampler() throws -> any Sampler {
        try sampler.sampler(scheduler, steps: samplerSteps, options: samplerOptions)
    }

    /// The pictures that the model sees in the noise, where it is a step to show them.
    func previews(_ step: DenoisingStep, _ colors: LatentColors?) -> [Image] {
        guard let colors, let interval = request.previewInterval, (step.index + 1) % interval == 0 else {
            return []
        }
        return colors.images(of: step.predictedOriginal)
    }

    /// The seed of a picture; with a variation, all have the request's.
    func seed(ofPicture index: Int) -> UInt64 {
        (request.variation?.strength ?? 0) > 0 ? seed : seed &+ UInt64(index)
    }

    /// The noise of some of the pictures.
    func noise(for batch: Range<Int>) -> PictureNoise {
        PictureNoise(
            seed: seed, count: batch.count, source: request.randomSource, first: batch.lowerBound,
            variation: request.variation, size: noiseSize,
            stepNoise: request.stepNoise ?? request.profile.stepNoise,
            stepSource: request.profile.stepSource)
    }
}

private func leastCommonMultiple(_ first: Int, _ second: Int) -> Int {
    var (divisor, rest) = (first, second)
    while rest > 0 { (divisor, rest) = (rest, divisor % rest) }
    return first / divisor * second
}
