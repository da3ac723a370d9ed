import Checkpoints
import EngineInterface
import Foundation
import Networks
import OpenVINOEngine
import TensorGraph
import Testing

/// The networks against diffusers' and transformers' own, on tiny models with random weights.
@Suite struct GoldenTests {
    static let models = ["tiny-sd1", "tiny-sd2"]

    let engine: OpenVINOEngine

    init() throws { engine = try OpenVINOEngine() }

    @Test(arguments: models) func textEncoder(model: String) async throws {
        let folder = try Golden.folder(model)
        let golden = try Golden(model, "text")
        let weights = try folder.checkpoint("text_encoder")
        let encoder = CLIPTextEncoder(try CLIPTextConfiguration(folder.configuration("text_encoder")))
        let ids = golden.integers("input_ids")
        let graph = try encoder.graph(batch: ids.shape[0], weights: weights)
        let compiled = try await engine.compile(graph, weights: weights, precision: .float32)
        let result = try await compiled.run(["tokens": ids])
        expect(result["embeddings"], equals: golden.tensor("embeddings"), within: 1e-4)
    }

    @Test(
        arguments: models,
        ["square", "wide", "odd-width", "odd-both", "first-timestep", "fractional-timestep", "batch"])
    func unet(model: String, name: String) async throws {
        let folder = try Golden.folder(model)
        let golden = try Golden(model, "unet")
        let weights = try folder.checkpoint("unet")
        let unet = UNet(try UNetConfiguration(folder.configuration("unet")))
        let latents = golden.tensor("\(name).latents")
        let context = golden.tensor("\(name).embeddings")
        let graph = try unet.graph(
            batch: latents.shape[0], height: latents.shape[2], width: latents.shape[3],
            tokens: context.shape[1], weights: weights)
        let compiled = try await engine.compile(graph, weights: weights, precision: .float32)
        let timestep = HostTensor([golden.tensor("\(name).timesteps").floats[0]], shape: [1])
        let result = try await compiled.run([
            "latents": latents, "timestep": timestep, "context": context,
        ])
        expect(result["prediction"], equals: golden.tensor("\(name).output"), within: 1e-4)
    }

    /// Two passes give what the network gives for each context alone.
    @Test(arguments: models) func unetInTwoPasses(model: String) async throws {
        let folder = try Golden.folder(model)
        let golden = try Golden(model, "unet")
        let weights = try folder.checkpoint("unet")
        let unet = UNet(try UNetConfiguration(folder.configuration("unet")))
        let (latents, context) = (golden.tensor("batch.latents"), golden.tensor("batch.embeddings"))
        let zero = HostTensor([Float](repeating: 0, count: context.shape.count), shape: context.shape)
        func predict(_ contexts: [HostTensor]) async throws -> [Float] {
            let graph = try unet.graph(
                batch: latents.shape[0], passes: contexts.count, height: latents.shape[2],
                width: latents.shape[3], tokens: context.shape[1], weights: weights)
            let compiled = try await engine.compile(graph, weights: weights, precision: .float32)
            let shape: Shape = [contexts.count * context.shape[0], context.shape[1], context.shape[2]]
            let result = try await compiled.run([
                "latents": latents, "timestep": HostTensor([500] as [Float], shape: [1]),
                "context": HostTensor(contexts.flatMap(\.floats), shape: shape),
            ])
            return try #require(result["prediction"]).floats
        }
        let alone = try await predict([zero]) + predict([context])
        let together = try await predict([zero, context])
        #expect(together.count == alone.count)
        #expect(zip(together, alone).allSatisfy { abs($0 - $1) <= 1e-5 })
        #expect(together.prefix(together.count / 2) != together.suffix(together.count / 2))
    }

    @Test(arguments: models, ["square", "wide"]) func decoder(model: String, name: String) async throws {
        let golden = try Golden(model, "vae")
        let (autoencoder, weights) = try Golden.autoencoder(model)
        let latents = golden.tensor("\(name).latents")
        let graph = try autoencoder.decoderGraph(
            batch: 1, height: latents.shape[2], width: latents.shape[3], weights: weights)
        let compiled = try await engine.compile(graph, weights: weights, precision: .float32)
        let result = try await compiled.run(["latents": latents])
        expect(result["pictures"], equals: golden.tensor("\(name).image"), within: 1e-4)
    }

    @Test(arguments: models, ["square", "wide"]) func encoder(model: String, name: String) async throws {
        let golden = try Golden(model, "vae")
        let (autoencoder, weights) = try Golden.autoencoder(model)
        let image = golden.tensor("\(name).encoder-image")
        let graph = try autoencoder.encoderGraph(
            batch: 1, height: image.shape[2], width: image.shape[3], weights: weights)
        let compiled = try await engine.compile(graph, weights: weights, precision: .float32)
        let moments = try #require(try await compiled.run(["pictures": image])["moments"])
        let mean = golden.tensor("\(name).mean")
        let half = mean.shape.count
        #expect(moments.shape.count == 2 * half)
        expect(
            HostTensor(Array(moments.floats[..<half]), shape: mean.shape), equals: mean, within: 1e-4)
        // diffusers clamps the logarithms of variances to -30…20 when it reads them.
        let variances = moments.floats[half...].map { min(max($0, -30), 20) }
        expect(
            HostTensor(variances, shape: mean.shape), equals: golden.tensor("\(name).log-variance"),
            within: 1e-4)
    }

    private func expect(_ actual: HostTensor?, equals expected: HostTensor, within tolerance: Float) {
        #expect(actual?.shape == expected.shape)
        let scale = max(1, expected.floats.map(\.magnitude).max() ?? 0)
        let distance =
            zip(actual?.floats ?? [], expected.floats).map { ($0 - $1).magnitude }.max() ?? .infinity
        #expect(distance <= tolerance * scale, "off by \(distance), where values reach \(scale)")
    }
}

/// A file of tensors that diffusers made, beside the models that it made them with.
struct Golden {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Golden")

    static func folder(_ model: String) throws -> ModelFolder {
        try ModelFolder(at: folder.appending(path: "models/\(model)"))
    }

    static func autoencoder(_ model: String) throws -> (Autoencoder, any WeightStorage) {
        let folder = try folder(model)
        let weights = try folder.checkpoint("vae").renamed(by: { formerAutoencoderNames[$0] ?? $0 })
        return (Autoencoder(try AutoencoderConfiguration(folder.configuration("vae"))), weights)
    }

    private let file: Checkpoint
    private let mapped: MappedWeights

    init(_ model: String, _ what: String) throws {
        file = try Checkpoint(
            contentsOf: Self.folder.appending(path: "networks/\(model)-\(what).safetensors"))
        mapped = try file.map(additionalBytes: 0)
    }

    func tensor(_ name: String) -> HostTensor {
        guard let entry = file.entry(named: name), let values = mapped.floats(of: name, entry) else {
            preconditionFailure("the golden file has no \(name)")
        }
        return HostTensor(values, shape: entry.shape)
    }

    func integers(_ name: String) -> HostTensor {
        guard let entry = file.entry(named: name), let bytes = mapped.bytes(of: name, entry) else {
            preconditionFailure("the golden file has no \(name)")
        }
        let values = (0..<entry.shape.count).map {
            bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)
        }
        return HostTensor(values, shape: entry.shape)
    }
}
