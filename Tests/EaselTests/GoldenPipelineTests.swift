import Checkpoints
import Easel
import Foundation
import Testing

/// What diffusers' pipeline gives for a request.
struct GoldenRequest: Decodable {
    let prompt: String
    let negativePrompt: String
    let width: Int
    let height: Int
    let steps: Int
    let guidanceScale: Float
    let seeds: [UInt64]
    let sampler: String
    let guidanceRescale: Double
    let pagScale: Float
    let freeU: FreeUScales?
    let picture: Bool
}

/// `["v1", b1, b2, s1, s2]`.
struct FreeUScales: Decodable {
    let freeU: FreeU

    init(from decoder: any Decoder) throws {
        var values = try decoder.unkeyedContainer()
        let version = try values.decode(String.self)
        let scales = try (0..<4).map { _ in try values.decode(Float.self) }
        freeU = FreeU(
            b1: scales[0], b2: scales[1], s1: scales[2], s2: scales[3], version: version == "v1" ? .v1 : .v2)
    }
}

struct GoldenRequests: Decodable {
    let requests: [String: GoldenRequest]
}

@Suite("Pictures are diffusers'")
struct GoldenPipelineTests {
    /// The bytes of a tensor in a golden file.
    static func bytes(_ name: String, in checkpoint: Checkpoint) throws -> [UInt8] {
        let entry = try #require(checkpoint.entry(named: name), "no \(name)")
        let mapped = try checkpoint.map(additionalBytes: 0)
        let offset = try #require(mapped.offset(of: name))
        let count = entry.elementType.byteCount(of: entry.shape.count)
        return withExtendedLifetime(mapped) { Array(mapped.bytes[offset..<offset + count]) }
    }

    static func floats(_ name: String, in checkpoint: Checkpoint) throws -> [Float] {
        let bytes = try bytes(name, in: checkpoint)
        return bytes.withUnsafeBytes { buffer in
            stride(from: 0, to: buffer.count, by: 4).map {
                Float(
                    bitPattern: UInt32(
                        littleEndian: buffer.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
            }
        }
    }

    @Test(arguments: TinyModel.allCases)
    func everyRequest(_ tiny: TinyModel) async throws {
        let folder = TinyModel.golden.appending(path: "pipelines")
        let golden = try Checkpoint(contentsOf: folder.appending(path: "\(tiny.rawValue).safetensors"))
        let requests = try JSONDecoder().decode(
            GoldenRequests.self, from: Data(contentsOf: folder.appending(path: "\(tiny.rawValue).json"))
        ).requests
        #expect(requests.count == 22)
        let full = requests.values.filter { $0.steps == 20 && $0.guidanceScale == 7.5 }
        #expect(Set(full.map(\.sampler)) == ["pndm", "ddim", "euler"])

        let model = try tiny.opened()
        for (name, wanted) in requests.sorted(by: { $0.key < $1.key }) {
            var latents: [Float] = []
            var pixels: [UInt8] = []
            // The seeds of a batch there are free; here they count up, so each is asked for alone.
            for seed in wanted.seeds {
                var request = Request(
                    prompt: wanted.prompt, negativePrompt: wanted.negativePrompt, width: wanted.width,
                    height: wanted.height, steps: wanted.steps, guidanceScale: wanted.guidanceScale,
                    seed: seed, sampler: wanted.sampler)
                request.guidanceRescale = wanted.guidanceRescale
                request.perturbedAttentionScale = wanted.pagScale
                request.freeU = wanted.freeU?.freeU
                let picture = try await model.picture(request)
                #expect(picture.image.width == wanted.width && picture.image.height == wanted.height)
                #expect(picture.sampler == wanted.sampler)
                latents += picture.latents.values
                pixels += picture.image.pixels
            }
            let difference = largestDifference(try Self.floats("\(name).latents", in: golden), latents)
            #expect(difference <= 2e-3, "\(tiny.rawValue), \(name): latents differ by \(difference)")
            if wanted.picture {
                let levels = largestDifference(try Self.bytes("\(name).picture", in: golden), pixels)
                #expect(levels <= 1, "\(tiny.rawValue), \(name): pictures differ by \(levels) levels")
            }
        }
    }
}
