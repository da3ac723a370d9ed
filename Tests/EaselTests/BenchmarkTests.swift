import Easel
import EngineInterface
import Foundation
import OpenVINOEngine
import Synchronization
import Testing

/// What is measured of the demo model: figures that can be, not how good they are.
@Suite struct BenchmarkTests {
    @Test(arguments: [Precision.float32, .int8])
    func everyFigureIsThere(_ precision: Precision) async throws {
        let model = try Model(at: demoModel, engine: OpenVINOEngine(), precision: precision)
        var benchmark = Benchmark(width: 64, height: 128, steps: 3, batchSize: 2)
        benchmark.rounds = 2
        let steps = Mutex(0)
        let start = ContinuousClock.now
        let result = try await model.benchmark(benchmark) { event in
            if case .step = event { steps.withLock { $0 += 1 } }
        }
        let elapsed = start.duration(to: .now) / .seconds(1)
        // One step to warm up, and two rounds of three.
        #expect(steps.withLock { $0 } == 7)
        #expect(result.measuredSteps == 6)
        #expect(result.model == "demo" && result.engine == "openvino")
        #expect(result.precision == precision.rawValue && result.memory == "fast" && result.isGuided)
        #expect(result.width == 64 && result.height == 128 && result.batchSize == 2)
        #expect((result.calibrationSeconds != nil) == (precision == .int8))
        let seconds = [
            result.loadSeconds, result.encodeSeconds, result.stepSeconds, result.decodeSeconds,
        ]
        #expect(seconds.allSatisfy { $0 > 0 && $0 < elapsed }, "\(result)")
        #expect(6 * result.stepSeconds + 4 * result.decodeSeconds < 3 * elapsed)
        #expect((10_000_000...100_000_000_000).contains(result.peakMemoryBytes))
        // The weights are in every product of a guided step with two pictures.
        #expect(result.stepOperations > 4 * 2 * 1_000_000)
        #expect(result.peakOperationsPerSecond > 1e9)
        #expect(result.shareOfPeak > 0)
    }

    @Test func aStepWithoutGuidanceIsHalfTheWork() async throws {
        let model = try Model(at: demoModel, engine: OpenVINOEngine(), precision: .float32)
        var benchmark = Benchmark(steps: 1)
        benchmark.rounds = 1
        let guided = try await model.benchmark(benchmark)
        benchmark.guidanceScale = 1
        let alone = try await model.benchmark(benchmark)
        #expect(guided.isGuided && !alone.isGuided)
        #expect((0.4...0.6).contains(Double(alone.stepOperations) / Double(guided.stepOperations)))
    }

    @Test func whatIsOutOfRangeIsRefused() async throws {
        let model = try Model(at: demoModel, engine: OpenVINOEngine(), precision: .float32)
        var rounds = Benchmark()
        rounds.rounds = 0
        let wrong = [
            rounds, Benchmark(steps: 0), Benchmark(steps: 1001), Benchmark(batchSize: 65),
            Benchmark(width: 100), Benchmark(width: 64, height: 1_000_000),
        ]
        for benchmark in wrong {
            await #expect(throws: RequestError.self) { try await model.benchmark(benchmark) }
        }
    }

    private var demoModel: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Models/demo")
    }
}
