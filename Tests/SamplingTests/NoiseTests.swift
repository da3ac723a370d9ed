import Foundation
import Testing

@testable import Sampling

/// Against `torch.randn` of a seeded CPU generator, bit by bit.
@Suite struct NoiseTests {
    @Test func oneCallEqualsPyTorch() throws {
        let cases = try golden("noise/noise.json")["whole"].items
        #expect(cases.count == 88)
        for one in cases {
            var generator = NoiseGenerator(seed: try #require(UInt64(one["seed"].stringValue ?? "")))
            let bits = generator.normal(count: one["count"].integer).map { Int($0.bitPattern) }
            #expect(
                bits == one["bits"].items.map(\.integer), "seed \(one["seed"]), count \(one["count"].integer)"
            )
        }
    }

    @Test func longCallsEqualPyTorch() throws {
        let cases = try golden("noise/noise.json")["digests"].items
        #expect(cases.count == 17)
        for one in cases {
            var generator = NoiseGenerator(seed: try #require(UInt64(one["seed"].stringValue ?? "")))
            var digest: UInt64 = 0xcbf2_9ce4_8422_2325
            for value in generator.normal(count: one["count"].integer) {
                digest = (digest ^ UInt64(value.bitPattern)) &* 0x100_0000_01b3
            }
            #expect(
                String(digest) == one["digest"].stringValue, "seed \(one["seed"]), \(one["count"].integer)")
        }
    }

    @Test func successiveCallsEqualPyTorch() throws {
        let cases = try golden("noise/noise.json")["successive"].items
        #expect(cases.count == 8)
        for one in cases {
            var generator = NoiseGenerator(seed: try #require(UInt64(one["seed"].stringValue ?? "")))
            for (index, call) in one["calls"].items.enumerated() {
                let bits = generator.normal(count: call["count"].integer).map { Int($0.bitPattern) }
                #expect(bits == call["bits"].items.map(\.integer), "seed \(one["seed"]), call \(index)")
            }
        }
    }

    @Test func aPictureIsTheSameAloneAndInABatch() throws {
        var batch = PictureNoise(seed: UInt64.max, count: 3)
        let first = try batch.latents(channels: 4, height: 3, width: 5)
        let second = try batch.latents(channels: 4, height: 3, width: 5)
        #expect(first.shape == [3, 4, 3, 5])
        for (index, seed) in [UInt64.max, 0, 1].enumerated() {
            var alone = PictureNoise(seed: seed, count: 1)
            #expect(try alone.latents(channels: 4, height: 3, width: 5) == first.picture(index))
            #expect(try alone.latents(channels: 4, height: 3, width: 5) == second.picture(index))
        }
        #expect((0..<3).flatMap { first.picture($0).values } == first.values)
    }

    @Test func impossibleShapesAreRefused() {
        #expect(throws: SamplingError.self) { try Latents([], batch: 0, channels: 4, height: 8, width: 8) }
        #expect(throws: SamplingError.self) {
            try Latents([1], batch: 1, channels: 1, height: .max, width: .max)
        }
        #expect(throws: SamplingError.self) { try Latents([1], batch: 1, channels: 1, height: 1, width: 2) }
        var none = PictureNoise(seed: 0, count: 0)
        #expect(throws: SamplingError.self) { try none.latents(channels: 4, height: 8, width: 8) }
    }
}
