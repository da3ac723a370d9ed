import Checkpoints
import EngineInterface
import Foundation
import OpenVINOEngine
import TensorGraph
import Testing

@testable import Easel

@Suite("Weights of few bits")
struct BlockWeightsTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    /// A single file does not say at what size it was trained.
    private let request = Request(
        prompt: "a fish on a white background", width: 128, height: 128, steps: 4, seed: 5)

    private func open(
        _ url: URL, _ precision: Precision = .float32, compresses: Bool? = nil
    ) throws -> Model {
        let isFile = !url.pathExtension.isEmpty
        return try Model(
            at: url, engine: OpenVINOEngine(threads: 1), precision: precision,
            vocabulary: isFile ? demoModel.appending(path: "tokenizer") : nil,
            memory: MemoryUse(.fast, compressesWeights: compresses))
    }

    private func written(_ format: BlockFormat) throws -> URL {
        let file = folder.url.appending(path: "\(format.rawValue).gguf")
        try ModelConversion(of: demoModel).write(to: file, blocks: format)
        return file
    }

    private func cosine(_ one: [Float], _ other: [Float]) -> Float {
        func product(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        return product(one, other) / (product(one, one) * product(other, other)).squareRoot()
    }

    @Test(
        arguments: [(BlockFormat.q8, 0.999), (.q5WithMinimum, 0.99), (.q4, 0.95)] as [(BlockFormat, Float)])
    func ggufIsWrittenAndRead(_ format: BlockFormat, likeness: Float) async throws {
        let file = try written(format)
        let checkpoint = try Checkpoint(contentsOf: file)
        let inBlocks = checkpoint.names.filter {
            checkpoint.storedType(of: $0) == format.rawValue.uppercased()
        }
        #expect(inBlocks.contains { $0.hasSuffix("transformer_blocks.0.attn1.to_q.weight") })
        #expect(inBlocks.contains { $0.hasPrefix("cond_stage_model.") })
        #expect(!inBlocks.contains { $0.hasSuffix(".bias") || $0.contains("embedding") })
        // A file does not say all that a folder does of how it is sampled.
        let whole = folder.url.appending(path: "whole.safetensors")
        try ModelConversion(of: demoModel).write(to: whole, layout: .file)
        let (own, wanted) = (
            try await open(file).picture(request).latents.values,
            try await open(whole).picture(request).latents.values
        )
        let found = cosine(own, wanted)
        #expect(found > likeness && own != wanted, "\(found)")
        #expect(throws: ModelError.self) {
            try ModelConversion(of: demoModel).write(to: file, blocks: format)
        }
    }

    @Test func modelsOfIntegersAreRefused() async throws {
        var conversion = try ModelConversion(of: demoModel)
        let layer = "mid_block.resnets.0.conv1"
        conversion.quantize(ActivationRanges([layer: .init(lowest: -1, highest: 1)]))
        let file = folder.url.appending(path: "a.gguf")
        #expect(throws: ModelError.self) { try conversion.write(to: file, blocks: .q8) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }

    @Test func matricesStayIntegersWhereTheFileHasThem() throws {
        let file = try written(.q8)
        #expect(!(try open(file).networks.compressesWeights))
        #expect(try open(file, compresses: true).networks.compressesWeights)
        #expect(!(try open(demoModel, .automatic).networks.compressesWeights))
        #expect(try open(demoModel, .automatic, compresses: true).networks.compressesWeights)
        guard let half = try? open(file, .bfloat16) else { return }
        #expect(half.networks.compressesWeights)
        #expect(!(try open(file, .bfloat16, compresses: false).networks.compressesWeights))
    }

    @Test func compressedMatricesGiveNearlyTheSame() async throws {
        let (exact, compressed) = (
            try await open(demoModel).picture(request).latents.values,
            try await open(demoModel, compresses: true).picture(request).latents.values
        )
        let likeness = cosine(exact, compressed)
        #expect(likeness > 0.999 && exact != compressed, "\(likeness)")
        // Blocks of 8 bits are what they were.
        let file = try written(.q8)
        let gap = largestDifference(
            try await open(file).picture(request).latents.values,
            try await open(file, compresses: true).picture(request).latents.values)
        #expect(gap < 0.02, "\(gap)")
    }

    @Test func compressedMatricesNeedLessMemory() async throws {
        func estimate(_ compresses: Bool) async throws -> Int {
            let plan = UNetPlan(batch: 1, passes: 2, tokens: 77, height: 16, width: 16)
            return try await open(demoModel, compresses: compresses).networks.estimates(plan, encodes: false)
                .first { $0.mode == .balanced }?.bytes ?? 0
        }
        #expect(try await estimate(true) < estimate(false))
    }
}
