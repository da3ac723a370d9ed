import Checkpoints
import EngineInterface
import Foundation
import Networks
import Sampling

/// A Stable Diffusion model, which makes any number of pictures.
///
/// ```swift
/// let model = try Model(at: URL(filePath: "Models/demo"), engine: OpenVINOEngine())
/// for try await event in model.generate(Request(prompt: "a red apple", steps: 20, seed: 42)) {
///     if case .finished(let picture) = event { try picture.write(to: "apple.png") }
/// }
/// ```
public final class Model: Sendable {
    /// The folder's name, or the file's without its ending.
    public let name: String
    /// The width in pixels that the model was trained at.
    public let width: Int
    /// The height in pixels that the model was trained at.
    public let height: Int
    /// The arithmetic that the networks are computed in.
    public let precision: Precision
    /// How much memory it takes for speed.
    public let memoryUse: MemoryUse
    /// What its U-Net was trained to predict.
    public var predictionType: PredictionType { parts.scheduler.predictionType }
    let parts: ModelParts
    let networks: CompiledNetworks
    let adapters: AdapterLibrary
    let embeddings: EmbeddingLibrary
    let rangeCache: ActivationRangeCache
    /// The autoencoder that was taken in place of its own.
    let externalAutoencoder: URL?
    /// What its name says of a distillation.
    let distilled: DistilledName?
    /// Of a model in one file.
    let hash: ModelHash?
    let checksums: WeightChecksums

    /// Opens a model: reads its configurations, its tokenizer and the headers of its weights. Networks are compiled
    /// when they are first needed.
    ///
    /// - Parameters:
    ///   - location: A folder in diffusers' layout, with `model_index.json`; or a whole model in one file, such as
    ///     `.safetensors` or `.ckpt`, whatever its name ends in.
    ///   - engine: What computes the networks.
    ///   - precision: The arithmetic; `automatic` is the fastest of floating-point numbers that the processor has
    ///     natively, or `int8` for a model that was quantized. With `int8` the first request measures what the U-Net's activations are like, for a minute or more
    ///     with a model of full size; that is kept in the user's folder for caches.
    ///   - vocabulary: CLIP's vocabulary, which a single file lacks: a `tokenizer` folder of another model, or
    ///     `bpe_simple_vocab_16e6.txt`; nil takes the one that was installed with Easel.
    ///   - vae: An autoencoder in place of the model's own, TAESD among them: a file, or a folder with `config.json`.
    ///   - memory: How much memory is taken for speed; by default the fastest way that fits in the machine's.
    /// - Throws: `FileError`, `JSONError`, `ConfigurationError`, `CheckpointError`, `SafetensorsError`, `TorchError`,
    ///   `TokenizerError` and ``ModelError`` for what is wrong in the folder or the file, ``VocabularyMissing``,
    ///   `EngineError` for a precision that the engine lacks, ``RequestError`` for what of `memory` is out of range.
    public convenience init(
        at location: URL, engine: any Engine, precision: Precision = .automatic, vocabulary: URL? = nil,
        vae: URL? = nil, memory: MemoryUse = MemoryUse()
    ) throws {
        try self.init(
            at: location, engine: engine, precision: precision, vocabulary: vocabulary, vae: vae, use: memory,
            memory: engine.memoryByteCount ?? Int(clamping: ProcessInfo.processInfo.physicalMemory))
    }

    /// - Parameters:
    ///   - memory: In bytes, what the networks together may take.
    ///   - activationRanges: Where what int8 needs to know of models is kept.
    init(
        at location: URL, engine: any Engine, precision: Precision, vocabulary: URL? = nil, vae: URL? = nil,
        use: MemoryUse = MemoryUse(), memory: Int,
        activationRanges: ActivationRangeCache = ActivationRangeCache()
    ) throws {
        try use.check()
        memoryUse = use
        rangeCache = activationRanges
        let asked = try engine.resolve(precision)
        let stored = try ModelComponents(at: location, vocabulary: vocabulary)
        let components = try vae.map { try stored.replacingAutoencoder($0) } ?? stored
        parts = try ModelParts(components)
        checksums = WeightChecksums(parts)
        // A model that was quantized is one to be computed with integers.
        let isQuantized = precision == .automatic && parts.unetWeights.isQuantized
        let precision = isQuantized ? (try? engine.resolve(.int8)) ?? asked : asked
        adapters = AdapterLibrary(parts)
        embeddings = EmbeddingLibrary(parts)
        hash = components.fileFormat.map {
            ModelHash(file: URL(filePath: components.origin), hasHeader: $0 == .safetensors)
        }
        externalAutoencoder = vae
        name = components.name
        distilled = DistilledName([name, components.title])
        width = parts.unet.sampleWidth * parts.autoencoder.factor
        height = parts.unet.sampleHeight * parts.autoencoder.factor
        self.precision = precision
        networks = CompiledNetworks(parts, engine: engine, precision: precision, use: use, memory: memory)
    }

    /// How many numbers the weights of all of the model's networks are.
    public var parameterCount: Int {
        ([parts.unetWeights, parts.autoencoderWeights] + parts.textEncoders.map(\.weights)).reduce(0) {
            sum, weights in
            sum + weights.names.reduce(0) { $0 + (weights.entry(named: $1)?.shape.count ?? 0) }
        }
    }

    /// Whether a picture of the model's own size can be made in the memory that there is, in one of the modes that are asked
    /// for: the machine's, or that of a GPU with memory of its own.
    ///
    /// - Throws: `GraphError` where the weights do not fit.
    public func fitsInMemory() async throws -> Bool {
        let plan = UNetPlan(
            batch: 1, passes: 2, canRunPassesAlone: true, tokens: parts.positions,
            height: parts.unet.sampleHeight, width: parts.unet.sampleWidth)
        do {
            _ = try await networks.planMemory(plan, encodes: parts.sight != nil)
            return true
        } catch is RequestError {
            return false
        }
    }

    /// The most bytes of a GPU's memory that the networks and their values have taken so far; nil where they are in the
    /// process's own.
    public var peakDeviceMemoryByteCount: Int? { networks.engine.peakDeviceMemoryByteCount }

    /// Makes the pictures of a request, telling each event as it happens.
    ///
    /// Cancelling the task that iterates ends the work within moments; the stream then ends without an error, and
    /// without the pictures that were not finished.
    ///
    /// - Parameter stop: By which the pictures that are made are finished early.
    /// - Throws: while iterating, ``RequestError``, `SamplingError`, `PromptError`, `DynamicPromptError`, ``LoRAError``,
    ///   `AdapterError`, ``EmbeddingError``, `TextualInversionError` for what the request asks, `GraphError` where the
    ///   weights do not fit, `TorchError` where they are not those that the file has checksums of, `EngineError`.
    public func generate(
        _ request: Request, stop: EarlyStop? = nil
    ) -> AsyncThrowingStream<GenerationEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    try request.check()
                    let parts = try request.withChoicesMade()
                    if parts.count > 1 { for part in parts { try check(part: part) } }
                    for (index, part) in parts.enumerated() {
                        if index > 0, stop?.requested == .request { break }
                        try await make(part, stop) { continuation.yield($0) }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// The hashes of the model's file, which is read for them once, and not again by other processes as long as it is as it
    /// was; nil for a model in a folder, and where the file cannot be read any more.
    public func fileHashes() async -> FileHashes? { await hash?.hashes() }

    /// Checks that the request's pictures can be made, without making them.
    ///
    /// - Throws: As ``generate(_:)`` does for what the request asks.
    public func check(_ request: Request) throws {
        try request.check()
        for part in try request.withChoicesMade() { try check(part: part) }
    }

    /// Checks a request without choices, both of its passes where there are two.
    private func check(part request: Request) throws {
        if let large = request.highResolution {
            _ = try secondPass(after: request, large)
        } else {
            _ = try GenerationPlan(request, for: self)
        }
    }

    /// The pictures of a request without choices, in one pass or two.
    private func make(
        _ request: Request, _ stop: EarlyStop?, tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws {
        if let large = request.highResolution {
            try await makeLargePictures(request, large, stop: stop, tell: tell)
        } else {
            try await makePictures(request, stop: stop, tell: tell)
        }
    }
}
