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
        _ url: URL, _ precision: Precision = .float32, bits: Int? = nil
    ) throws -> Model {
        let isFile = !url.pathExtension.isEmpty
        return try Model(
            at: url, engine: OpenVINOEngine(threads: 1), precision: precision,
            vocabulary: isFile ? demoModel.appending(path: "tokenizer") : nil,
            memory: MemoryUse(.fast, compressedWeightBits: bits))
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
        #expect(try open(file, bits: 8).networks.compressesWeights)
        #expect(!(try open(demoModel, .automatic).networks.compressesWeights))
        #expect(try open(demoModel, .automatic, bits: 8).networks.compressesWeights)
        guard let half = try? open(file, .bfloat16) else { return }
        #expect(half.networks.compressesWeights)
        #expect(!(try open(file, .bfloat16, bits: 0).networks.compressesWeights))
    }

    @Test func compressedMatricesGiveNearlyTheSame() async throws {
        let (exact, compressed) = (
            try await open(demoModel).picture(request).latents.values,
            try await open(demoModel, bits: 8).picture(request).latents.values
        )
        let likeness = cosine(exact, compressed)
        #expect(likeness > 0.999 && exact != compressed, "\(likeness)")
    }

    /// Blocks are the integers that they were; read as numbers of half precision, they are rounded to 11 bits.
    @Test(arguments: [(BlockFormat.q8, 8), (.q5, 8), (.q4, 4), (.q4, 8)] as [(BlockFormat, Int)])
    func blocksStayWhatTheyAre(_ format: BlockFormat, bits: Int) async throws {
        let file = try written(format)
        let (numbers, integers) = (
            try await open(file, bits: 0).picture(request), try await open(file, bits: bits).picture(request)
        )
        let gap = largestDifference(numbers.latents.values, integers.latents.values)
        #expect(gap < 0.02, "\(gap)")
        let distance = peakSignalToNoise(integers.image, numbers.image)
        #expect(distance > 50, "\(distance) dB")
    }

    @Test func matricesOfFourBitsGiveAPictureOfTheSameThings() async throws {
        let exact = try await open(demoModel).picture(request)
        let few = try await open(demoModel, bits: 4).picture(request)
        let likeness = cosine(exact.latents.values, few.latents.values)
        #expect(likeness > 0.95 && likeness < 0.99999, "\(likeness)")
        let distance = peakSignalToNoise(few.image, exact.image)
        #expect(distance > 22, "\(distance) dB")
    }

    /// The matrices that a file has in blocks of 4 bits are of 4 bits, the others of 8.
    @Test func bitsAreTheFiles() async throws {
        func types(_ model: Model) async -> Set<ElementType> {
            let weights = await model.networks.quantizedUNetWeights(model.parts.unetWeights)
            return Set(
                weights.names.compactMap { name in
                    weights.entry(named: name).flatMap { $0.shape.rank == 3 ? $0.elementType : nil }
                }.filter(\.isScaled))
        }
        for (format, own) in [(BlockFormat.q4, ElementType.int4), (.q4WithMinimum, .int8), (.q8, .int8)] {
            let file = try written(format)
            if let half = try? open(file, .bfloat16) { #expect(await types(half).contains(own)) }
            #expect(try await types(open(file, bits: 4)) == [.int4])
            #expect(try await types(open(file, bits: 8)) == [.int8])
            #expect(try await types(open(file, bits: 0)).isEmpty)
        }
    }

    @Test(arguments: [-8, 1, 5, 16]) func otherNumbersOfBitsAreRefused(_ bits: Int) async throws {
        await #expect(throws: RequestError.self) {
            try await open(demoModel, bits: bits).picture(request)
        }
    }

    @Test func compressedMatricesNeedLessMemory() async throws {
        func estimate(_ bits: Int) async throws -> Int {
            let plan = UNetPlan(batch: 1, passes: 2, tokens: 77, height: 16, width: 16)
            return try await open(demoModel, bits: bits).networks.estimates(plan, encodes: false)
                .first { $0.mode == .balanced }?.bytes ?? 0
        }
        let (whole, bytes, halves) = (try await estimate(0), try await estimate(8), try await estimate(4))
        // Of four bytes a number, one and an eighth is left, then half a byte less.
        #expect(bytes < whole && halves < bytes)
        let saved = Double(whole - halves) / Double(whole - bytes)
        #expect((saved - 3.375 / 2.875).magnitude < 0.01, "\(saved)")
    }
}
