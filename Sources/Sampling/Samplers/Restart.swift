/// Heun's method, with some of the way gone again after noise was put back: Xu et al., "Restart Sampling for Improving
/// Generative Processes", 2023, with the intervals that AUTOMATIC1111 chose for Stable Diffusion. It asks the model
/// twice a step.
struct Restart: Sampler {
    let initialNoiseScale: Float
    private let levels: NoiseLevels
    private let prediction: PredictionType
    /// Where steps start and end; where a start is above the end before, noise is put back.
    private let intervals: [(sigma: Double, next: Double)]
    private var next = 0

    var stepCount: Int { intervals.count }
    var isFinished: Bool { next == intervals.count }

    init(levels: NoiseLevels, prediction: PredictionType, scale: LatentScale, firstStep: Int) {
        let kept = Array(levels.sigmas.dropFirst(min(max(firstStep, 0), levels.stepCount)))
        self.levels = levels
        self.prediction = prediction
        intervals = Self.intervals(kept)
        initialNoiseScale = scale.initial(at: kept[0])
    }

    func noised(_ original: Latents, with noise: Latents) -> Latents {
        guard !isFinished else { return original }
        // Where noise is put back, the step itself adds it to the level that the one before left.
        return original + Float(next == 0 ? intervals[0].sigma : intervals[next - 1].next) * noise
    }

    mutating func step(
        _ latents: Latents, model: DenoisingModel, noise: inout PictureNoise
    ) async throws -> SamplerStep {
        let (sigma, end) = intervals[next]
        var start = latents
        if next > 0, intervals[next - 1].next < sigma {
            let before = intervals[next - 1].next
            let fresh = try noise.latents(like: latents)
            start = start + Float((sigma * sigma - before * before).squareRoot()) * fresh
        }
        var heun = Heun()
        let update = try await heun.update(
            start,
            over: NoiseInterval(
                index: next, count: stepCount, sigma: sigma, next: end, range: levels.range),
            model: SigmaModel(model: model, levels: levels, prediction: prediction), noise: &noise)
        next += 1
        return SamplerStep(
            latents: update.latents, timestep: Float(levels.timestep(at: sigma)),
            predictedOriginal: update.denoised)
    }

    /// From 20 steps on, some of them are spent between 0.1 and 2 again.
    private static func intervals(_ given: [Double]) -> [(Double, Double)] {
        let steps = given.count - 1
        guard steps >= 20 else { return Array(zip(given, given.dropFirst())) }
        let (length, times) = steps >= 36 ? (steps / 4, 2) : (9, 1)
        let karras = KarrasSchedule()
        func levels(_ count: Int, from high: Double, to low: Double) -> [Double] {
            karras.spaced(count, from: high, to: low).map { Double(Float($0)) }
        }
        let sigmas = levels(steps - length * times, from: given[0], to: given[steps - 1]) + [0]
        func nearest(_ sigma: Double) -> Int {
            sigmas.indices.min { abs(sigmas[$0] - sigma) < abs(sigmas[$1] - sigma) } ?? 0
        }
        let (low, high) = (nearest(0.1), nearest(2))
        var intervals: [(Double, Double)] = []
        for index in 0..<sigmas.count - 1 {
            intervals.append((sigmas[index], sigmas[index + 1]))
            guard index + 1 == low, high < low else { continue }
            let again = levels(length + 1, from: sigmas[high], to: sigmas[low])
            for _ in 0..<times { intervals += zip(again, again.dropFirst()) }
        }
        return intervals
    }
}
