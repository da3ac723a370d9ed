import Synchronization
import Testing

@testable import Sampling

@Suite struct DenoisingLoopTests {
    private func first() throws -> Latents {
        try Latents([0.5, -1, 2, 0.1], batch: 1, channels: 1, height: 2, width: 2)
    }

    @Test(arguments: SamplerCatalogue.all.map(\.name))
    func reportsEveryStepInOrder(name: String) async throws {
        let sampler = try SamplerCatalogue.named(name).sampler(latentConfiguration, steps: 6)
        let steps = Mutex<[DenoisingStep]>([])
        let result = try await denoise(
            try first(), with: sampler, noise: PictureNoise(seed: 0, count: 1),
            denoiser: { latents, _, _ in latents },
            report: { step in steps.withLock { $0.append(step) } })
        let all = steps.withLock { $0 }
        // PNDM takes its first step twice; DPM adaptive chooses its steps.
        let count = ["pndm": 7, "plms": 7, "dpm-adaptive": all.count][name] ?? 6
        #expect(all.map(\.index) == Array(0..<count))
        #expect(all.last?.count == count)
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.timestep >= $1.timestep })
        #expect(all.last?.latents == result)
    }

    @Test(arguments: SamplerCatalogue.all.filter { !$0.isAdaptive }.map(\.name))
    func aBatchEqualsItsPictures(name: String) async throws {
        var configuration = latentConfiguration
        configuration.stepsOffset = 1
        func run(seed: UInt64, count: Int) async throws -> Latents {
            let sampler = try SamplerCatalogue.named(name).sampler(
                configuration, steps: 5, options: SamplerOptions(eta: 1))
            var noise = PictureNoise(seed: seed, count: count)
            let first = sampler.initialNoiseScale * (try noise.latents(channels: 4, height: 3, width: 3))
            return try await denoise(first, with: sampler, noise: noise) { latents, _, _ in
                latents.map { 0.5 * $0 }
            }
        }
        let batch = try await run(seed: 9, count: 3)
        for index in 0..<3 {
            #expect(try await run(seed: 9 + UInt64(index), count: 1) == batch.picture(index))
        }
    }

    @Test(arguments: SamplerCatalogue.all.map(\.name))
    func whereItIsEnoughTheStepsOriginalIsTheResult(name: String) async throws {
        let sampler = try SamplerCatalogue.named(name).sampler(latentConfiguration, steps: 6)
        let original = try Latents([9, 9, 9, 9], batch: 1, channels: 1, height: 2, width: 2)
        let kept = KeptRegion(original: original, noise: try first(), mask: [0, 1, 1, 1])
        let steps = Mutex<[DenoisingStep]>([])
        let result = try await denoise(
            try first(), with: sampler, noise: PictureNoise(seed: 0, count: 1), keeping: kept,
            denoiser: { latents, _, _ in latents.map { 0.5 * $0 } },
            report: { step in steps.withLock { $0.append(step) } }, isEnough: { $0.index == 1 })
        let all = steps.withLock { $0 }
        #expect(all.count == 2)
        let seen = try #require(all.last).predictedOriginal.values
        #expect(result.values == [9] + seen.dropFirst() && seen != all.last?.latents.values)
    }

    /// Where noise is put back, the step itself adds it to what the step before left.
    @Test func aKeptRegionIsAsNoisyAsRestartsLatents() async throws {
        var configuration = latentConfiguration
        configuration.predictionType = .sample
        var sampler = try SamplerCatalogue.named("restart").sampler(configuration, steps: 20)
        let ones = try Latents([1, 1, 1, 1], batch: 1, channels: 1, height: 2, width: 2)
        let black = ones.map { _ in 0 }
        var noise = PictureNoise(seed: 0, count: 1)
        var latents = sampler.initialNoiseScale * ones
        // A network that sees black leaves a level's share of the ones, until others are put back.
        let model = DenoisingModel(denoiser: { _, _, _ in black }, step: 0, stepCount: 20)
        var levels: [Float] = []
        for _ in 0..<9 {
            latents = try await sampler.step(latents, model: model, noise: &noise).latents
            let kept = sampler.noised(black, with: ones)
            for (value, own) in zip(kept.values, latents.values) { #expect(abs(value / own - 1) < 1e-4) }
            levels.append(kept.values[0])
        }
        // From 0.07 it goes back to 2.2.
        #expect(levels[8] < 0.1)
        latents = try await sampler.step(latents, model: model, noise: &noise).latents
        #expect(sampler.noised(black, with: ones).values[0] > 1)
        while !sampler.isFinished {
            latents = try await sampler.step(latents, model: model, noise: &noise).latents
        }
        #expect(sampler.noised(black, with: ones) == black)
    }

    @Test func anOutputThatIsNotFiniteNamesTheStep() async throws {
        let sampler = try DDIM(latentConfiguration, steps: 4)
        await #expect(
            throws: SamplingError.notFinite(
                step: 2, stepCount: 4, timestep: 250, index: 3, source: .modelOutput)
        ) {
            try await denoise(try first(), with: sampler, noise: PictureNoise(seed: 0, count: 1)) {
                latents, timestep, _ in
                guard timestep == 250 else { return latents }
                return try Latents([0, 1, 2, .nan], batch: 1, channels: 1, height: 2, width: 2)
            }
        }
    }

    @Test func latentsThatOverflowNameTheStep() async throws {
        let sampler = try SamplerCatalogue.named("euler").sampler(latentConfiguration, steps: 4)
        await #expect {
            try await denoise(try first(), with: sampler, noise: PictureNoise(seed: 0, count: 1)) {
                latents, _, _ in
                latents.map { _ in .greatestFiniteMagnitude }
            }
        } throws: { error in
            guard case .notFinite(step: 0, stepCount: 4, _, _, source: .latents) = error as? SamplingError
            else { return false }
            return true
        }
    }

    @Test func shapesMustBeEqual() async throws {
        let sampler = try SamplerCatalogue.named("euler").sampler(latentConfiguration, steps: 4)
        let other = try Latents([1], batch: 1, channels: 1, height: 1, width: 1)
        await #expect(throws: SamplingError.shapeMismatch(expected: [1, 1, 2, 2], actual: [1, 1, 1, 1])) {
            try await denoise(try first(), with: sampler, noise: PictureNoise(seed: 0, count: 1)) { _, _, _ in
                other
            }
        }
        await #expect(throws: SamplingError.pictureCountMismatch(latents: 1, noise: 2)) {
            try await denoise(try first(), with: sampler, noise: PictureNoise(seed: 0, count: 2)) {
                latents, _, _ in
                latents
            }
        }
    }

    @Test func cancellingEndsTheLoopInsideAStep() async throws {
        let calls = CallCount()
        let latents = try first()
        let task = Task {
            do {
                _ = try await denoise(
                    latents, with: try PNDM(latentConfiguration, steps: 10),
                    noise: PictureNoise(seed: 0, count: 1)
                ) { latents, _, _ in
                    calls.add()
                    withUnsafeCurrentTask { $0?.cancel() }
                    return latents
                }
                return -1
            } catch is CancellationError {
                return calls.value
            }
        }
        #expect(try await task.value == 1)
    }

    @Test(arguments: SamplerCatalogue.all.map(\.name))
    func stepsOutOfRangeAreRefused(name: String) throws {
        let sampler = try SamplerCatalogue.named(name)
        let maximum = ["lcm", "tcd"].contains(name) ? 50 : 1000
        for steps in [Int.min, -1, 0, maximum + 1, 1_000_000_000, .max] {
            #expect(throws: SamplingError.stepsOutOfRange(steps: steps, maximum: maximum)) {
                try sampler.sampler(latentConfiguration, steps: steps)
            }
        }
        #expect(try sampler.sampler(latentConfiguration, steps: maximum).stepCount > 0)
    }

    @Test func whatASamplerLacksIsRefusedByName() throws {
        var configuration = latentConfiguration
        configuration.skipRungeKuttaSteps = false
        #expect(throws: SamplingError.tooFewSteps(sampler: "pndm", steps: 3, minimum: 4)) {
            try PNDM(configuration, steps: 3)
        }
        configuration.stepsOffset = 1
        configuration.timestepSpacing = .leading
        for name in ["pndm", "ddim", "ddpm", "euler", "heun", "restart"] {
            #expect(
                throws: SamplingError.timestepOutOfRange(
                    timestep: 1000, trainTimesteps: 1000, steps: 1000, stepsOffset: 1)
            ) { try SamplerCatalogue.named(name).sampler(configuration, steps: 1000) }
        }
        for eta in [-0.1, 1.1, .nan] {
            #expect("eta \(eta)") { try DDIM(latentConfiguration, steps: 4, eta: eta) } throws: {
                if case .etaOutOfRange = $0 as? SamplingError { true } else { false }
            }
        }
        var thresholding = latentConfiguration
        thresholding.thresholding = true
        #expect {
            try DDIM(thresholding, steps: 4)
        } throws: { "\($0)".contains("thresholding") && "\($0)".contains("ddim") }
        var other = latentConfiguration
        other.interpolationType = "log_linear"
        #expect { try SamplerCatalogue.named("euler").sampler(other, steps: 4) } throws: {
            "\($0)".contains("interpolation_type = log_linear")
        }
        other = latentConfiguration
        other.predictionType = .sample
        #expect { try PNDM(other, steps: 4) } throws: { "\($0)".contains("prediction_type = sample") }
    }

    @Test func guidanceChangesOverTheSteps() throws {
        let part = try ClassifierFreeGuidance(scales: [5], interval: 0.2...0.6)
        #expect((0..<10).map { part.scale(at: $0, of: 10) } == [1, 1, 5, 5, 5, 5, 5, 1, 1, 1])
        #expect(part.isActive && !part.isConstant)
        let falling = try ClassifierFreeGuidance(scales: [9, 5, 5])
        #expect((0..<5).map { falling.scale(at: $0, of: 5) } == [9, 7, 5, 5, 5])
        #expect(falling.scale(at: 0, of: 1) == 9)
        // A sampler that chooses its steps may take more of them than it expected.
        let constant = try ClassifierFreeGuidance(scales: [5])
        #expect([19, 20, 21, 40].map { constant.scale(at: $0, of: 20) } == [5, 5, 5, 5])
        #expect(falling.scale(at: 7, of: 5) == 5 && part.scale(at: 12, of: 10) == 1)
        for value in [-0.1, 1.1, .nan] {
            #expect(throws: SamplingError.self) { try ClassifierFreeGuidance(scales: [5], rescale: value) }
        }
        #expect(throws: SamplingError.self) { try ClassifierFreeGuidance(scales: [5], interval: 0...2) }
    }

    @Test func guidanceMovesFromTheUnconditionalOutput() throws {
        let unconditional = try Latents([1, -2], batch: 1, channels: 1, height: 1, width: 2)
        let conditional = try Latents([2, -1.5], batch: 1, channels: 1, height: 1, width: 2)
        let guidance = try ClassifierFreeGuidance(scales: [7.5])
        #expect(guidance.isActive)
        #expect(
            try guidance.combine(unconditional: unconditional, conditionals: [(conditional, 1)], scale: 7.5)
                .values == [
                    8.5, 1.75,
                ])
        let none = try ClassifierFreeGuidance(scales: [1])
        #expect(!none.isActive)
        let both = try guidance.combine(
            unconditional: unconditional,
            conditionals: [(conditional, 1), (unconditional, 3), (conditional, -0.5)], scale: 7.5)
        #expect(both.values == [4.75, -0.125])
        for scale in [Double.nan, .infinity, -.infinity, 1e308] {
            #expect("scale \(scale)") { try ClassifierFreeGuidance(scales: [scale]) } throws: {
                if case .guidanceScaleNotFinite = $0 as? SamplingError { true } else { false }
            }
        }
    }
}

private final class CallCount: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
}
