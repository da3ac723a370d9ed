import Checkpoints
import EngineInterface
import Foundation
import Networks

/// A Stable Diffusion model, which makes any number of pictures.
///
/// ```swift
/// let model = try Model(at: URL(filePath: "Models/demo"), engine: OpenVINOEngine())
/// for try await event in model.generate(Request(prompt: "a red apple", steps: 20, seed: 42)) {
///     if case .finished(let picture) = event { try picture.write(to: "apple.png") }
/// }
/// ```
public final class Model: Sendable {
    /// The folder's name.
    public let name: String
    /// The width in pixels that the model was trained at.
    public let width: Int
    /// The height in pixels that the model was trained at.
    public let height: Int
    /// The arithmetic that the networks are computed in.
    public let precision: Precision
    let parts: ModelParts
    let networks: CompiledNetworks

    /// Opens a model in diffusers' folder layout: reads its configurations, its tokenizer and the headers of
    /// its weights. Networks are compiled when they are first needed.
    ///
    /// - Parameters:
    ///   - folder: The folder with `model_index.json`.
    ///   - engine: What computes the networks.
    ///   - precision: The arithmetic; `automatic` is the fastest that the processor has natively.
    /// - Throws: `FileError`, `JSONError`, `ConfigurationError`, `CheckpointError`, `TokenizerError` and
    ///   ``ModelError`` for what is wrong in the folder, `EngineError` for a precision that the engine lacks.
    public convenience init(at folder: URL, engine: any Engine, precision: Precision = .automatic) throws {
        try self.init(
            at: folder, engine: engine, precision: precision,
            memory: Int(clamping: ProcessInfo.processInfo.physicalMemory))
    }

    /// - Parameter memory: In bytes, what the networks together may take.
    init(at folder: URL, engine: any Engine, precision: Precision, memory: Int) throws {
        let precision = try engine.resolve(precision)
        let modelFolder = try ModelFolder(at: folder)
        parts = try ModelParts(modelFolder)
        name = folder.standardizedFileURL.lastPathComponent
        width = parts.unet.sampleWidth * parts.autoencoder.factor
        height = parts.unet.sampleHeight * parts.autoencoder.factor
        self.precision = precision
        networks = CompiledNetworks(parts, engine: engine, precision: precision, memory: memory)
    }

    /// Makes the pictures of a request, telling each event as it happens.
    ///
    /// Cancelling the task that iterates ends the work within moments; the stream then ends without an error, and
    /// without the pictures that were not finished.
    ///
    /// - Throws: while iterating, ``RequestError``, `SamplingError`, `PromptError` and `DynamicPromptError` for what the request asks, `GraphError`
    ///   where the weights do not fit, `EngineError`.
    public func generate(_ request: Request) -> AsyncThrowingStream<GenerationEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    try request.check()
                    let parts = try request.withChoicesMade()
                    if parts.count > 1 { for part in parts { _ = try GenerationPlan(part, for: self) } }
                    for part in parts { try await make(part) { continuation.yield($0) } }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// Checks that the request's pictures can be made, without making them.
    ///
    /// - Throws: As ``generate(_:)`` does for what the request asks.
    public func check(_ request: Request) throws {
        try request.check()
        for part in try request.withChoicesMade() { _ = try GenerationPlan(part, for: self) }
    }

    /// The pictures of a request without choices, in one pass or two.
    private func make(_ request: Request, tell: @escaping @Sendable (GenerationEvent) -> Void) async throws {
        if let large = request.highResolution {
            try await makeLargePictures(request, large, tell: tell)
        } else {
            try await makePictures(request, tell: tell)
        }
    }
}
