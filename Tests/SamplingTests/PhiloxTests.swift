import Foundation
import Testing

@testable import Sampling

@Suite struct PhiloxTests {
    /// What `torch.randn(3, 4, device="cuda")` gives after `torch.manual_seed(0)`, as published.
    @Test func valuesAreCUDAs() {
        var generator = PhiloxGenerator(seed: 0)
        let expected: [Float] = [
            -0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564, -0.62285122,
            -0.32838709,
            -1.07454231, -0.36314407, -1.67105067, 2.26550497,
        ]
        for (value, wanted) in zip(generator.normal(count: 12), expected) {
            #expect(abs(value - wanted) < 2e-6)
        }
        #expect(
            generator.normal(count: 12) != PhiloxGenerator(seed: 0).first(12), "each call has its own values")
    }

    @Test func aValueDependsOnItsPlaceAlone() {
        #expect(PhiloxGenerator(seed: 7).first(5) == Array(PhiloxGenerator(seed: 7).first(100).prefix(5)))
        #expect(PhiloxGenerator(seed: 7).first(5) != PhiloxGenerator(seed: 7 + 1 << 32).first(5))
        let many = PhiloxGenerator(seed: 1).first(100_000)
        let mean = many.reduce(0, +) / 100_000
        let variance = many.reduce(0) { $0 + $1 * $1 } / 100_000
        #expect(abs(mean) < 0.01 && abs(variance - 1) < 0.02 && many.allSatisfy(\.isFinite))
    }
}

extension PhiloxGenerator {
    fileprivate func first(_ count: Int) -> [Float] {
        var copy = self
        return copy.normal(count: count)
    }
}

@Suite struct NoiseVariationTests {
    private func noise(_ variation: NoiseVariation?, size: NoiseSize? = nil, count: Int = 1, first: Int = 0)
        throws
        -> Latents
    {
        var noise = PictureNoise(seed: 5, count: count, first: first, variation: variation, size: size)
        return try noise.initialLatents(channels: 4, height: 6, width: 8)
    }

    @Test func theEndsAreBothNoises() throws {
        let own = try noise(nil)
        var other = PictureNoise(seed: 9, count: 1)
        let whole = try noise(NoiseVariation(subseed: 9, strength: 1))
        for (value, wanted) in zip(whole.values, try other.latents(channels: 4, height: 6, width: 8).values) {
            #expect(abs(value - wanted) < 1e-5)
        }
        #expect(try noise(NoiseVariation(subseed: 9, strength: 0)) == own)
        let half = try noise(NoiseVariation(subseed: 9, strength: 0.5))
        let variance = half.values.reduce(0) { $0 + $1 * $1 } / Float(half.values.count)
        #expect((0.7...1.3).contains(variance), "the arc keeps the variance: \(variance)")
    }

    @Test func picturesVaryFromOneSeed() throws {
        let variation = NoiseVariation(subseed: 9, strength: 0.3)
        let both = try noise(variation, count: 2)
        #expect(both.picture(0) != both.picture(1))
        #expect(try noise(variation, first: 1).picture(0) == both.picture(1))
    }

    @Test func anotherSizesNoiseLiesInTheMiddle() throws {
        var small = PictureNoise(seed: 5, count: 1)
        let values = try small.latents(channels: 4, height: 4, width: 4)
        let placed = try noise(nil, size: NoiseSize(height: 4, width: 4))
        let own = try noise(nil)
        for channel in 0..<4 {
            for row in 0..<6 {
                for column in 0..<8 {
                    let place = (channel * 6 + row) * 8 + column
                    let isInside = (1..<5).contains(row) && (2..<6).contains(column)
                    let wanted =
                        isInside ? values.values[(channel * 4 + row - 1) * 4 + column - 2] : own.values[place]
                    #expect(placed.values[place] == wanted)
                }
            }
        }
        let large = try noise(nil, size: NoiseSize(height: 11, width: 20))
        #expect(large.shape == [1, 4, 6, 8] && large != own)
    }
}
