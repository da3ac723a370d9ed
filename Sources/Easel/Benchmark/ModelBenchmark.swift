import EngineInterface
import Foundation
import Imaging
import Sampling
import Synchronization

extension Model {
    /// Measures how fast pictures are made, and in how much memory.
    ///
    /// Pictures are made once to load and to warm up, with the memory watched, and then in rounds that are timed. The
    /// machine's peak is measured last, within some seconds. Memory and loading are those of the model's first request only
    /// where it had none before.
    ///
    /// - Parameter tell: Is told of each event, as ``generate(_:)`` tells them.
    /// - Throws: ``RequestError`` for what is out of range; as ``generate(_:)``.
    public func benchmark(
        _ benchmark: Benchmark = Benchmark(), tell: @escaping @Sendable (GenerationEvent) -> Void = { _ in }
    ) async throws -> BenchmarkResult {
        try benchmark.check()
        var request = request(benchmark)
        let plan = try GenerationPlan(request, for: self)

        request.steps = 1
        let watch = MemoryWatch()
        let first = try await timed(request, tell)
        let peakMemory = await watch.stop()
        let peakDeviceMemory = peakDeviceMemoryByteCount
        request.steps = benchmark.steps
        var rounds: [RequestTimes] = []
        for _ in 0..<benchmark.rounds { rounds.append(try await timed(request, tell)) }

        let shape = await networks.shape(plan.unet(batch: benchmark.batchSize))
        let passes = plan.runsPassesAlone ? plan.prompts.count : 1
        let steps = rounds.flatMap(\.steps)
        return BenchmarkResult(
            model: name, engine: networks.engine.name, precision: precision.rawValue,
            memory: first.memory.rawValue, width: plan.width, height: plan.height,
            batchSize: benchmark.batchSize, isGuided: plan.isGuided, measuredSteps: steps.count,
            loadSeconds: first.loading - first.calibrating,
            calibrationSeconds: precision == .int8 ? first.calibrating : nil,
            encodeSeconds: median(rounds.map(\.encoding)), stepSeconds: median(steps),
            decodeSeconds: median(rounds.flatMap(\.decodings)), peakMemoryBytes: peakMemory,
            peakDeviceMemoryBytes: peakDeviceMemory,
            stepOperations: try passes * networks.unetGraph(shape).arithmeticCount,
            peakOperationsPerSecond: try await arithmeticPeak(of: networks.engine, precision))
    }

    private func request(_ benchmark: Benchmark) -> Request {
        var request = Request(
            prompt: "a lighthouse on a cliff at dawn, oil on canvas", width: benchmark.width ?? width,
            height: benchmark.height ?? height, steps: benchmark.steps,
            guidanceScale: benchmark.guidanceScale, seed: 0, sampler: "euler", count: benchmark.batchSize,
            batchSize: benchmark.batchSize)
        // Models that make pictures of others are given a grey one.
        if parts.sight != nil, parts.sight != .maskedPicture {
            request.initImage = Image(
                width: 64, height: 64, pixels: [UInt8](repeating: 128, count: 3 * 64 * 64))
            request.depthMap = parts.sight == .depth ? request.initImage : nil
            request.strength = 1
        }
        return request
    }

    /// Makes a request's pictures.
    private func timed(
        _ request: Request, _ tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws -> RequestTimes {
        let recorder = Mutex(RequestTimes())
        try await makePictures(request) { event in
            recorder.withLock { $0.note(event) }
            tell(event)
        }
        return recorder.withLock { $0 }
    }
}

/// How long the parts of a request took, in seconds.
private struct RequestTimes: Sendable {
    /// From the start to the first step's begin, what was measured for int8 included.
    private(set) var loading = 0.0
    private(set) var calibrating = 0.0
    private(set) var encoding = 0.0
    /// One for each.
    private(set) var steps: [Double] = []
    private(set) var decodings: [Double] = []
    private(set) var memory = MemoryMode.automatic

    private let start = ContinuousClock.now
    /// When the last event was, and what has been done since.
    private var last = ContinuousClock.now
    private var stage: Stage?

    mutating func note(_ event: GenerationEvent) {
        let now = ContinuousClock.now
        let seconds = last.duration(to: now) / .seconds(1)
        switch event {
        case .warning: return
        case .step: steps.append(seconds)
        case .finished(let picture):
            decodings.append(seconds)
            memory = picture.memory
        case .stage(let next):
            if stage == .calibrating { calibrating = seconds }
            if stage == .encodingPrompt { encoding = seconds }
            if next == .denoising, steps.isEmpty { loading = start.duration(to: now) / .seconds(1) }
            stage = next
        }
        last = now
    }
}

/// The middle of the values, or the mean of the two in the middle.
private func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
