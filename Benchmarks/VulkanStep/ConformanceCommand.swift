import ArgumentParser
import EngineConformance
import EngineInterface
import Foundation
import VulkanEngine

/// What tests hold the engine to, on a real GPU.
struct ConformanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance",
        abstract: "Hold the engine to the reference engine, operation by operation.")

    @Option(help: "The GPU, by its number or a part of its name (default: the best one).") var device: String?

    @Flag(help: "Leave out what is not computed by cooperative matrices.") var matricesOnly = false

    @Option(help: "Only those ways to divide products that have this in their names.") var division = ""

    func run() async throws {
        let engine = try VulkanEngine(device).dividingBySizes()
        print("\(engine.deviceDescription.name), \(engine.deviceDescription.driver)")
        var (failureCount, caseCount) = (0, 0)
        func hold(_ engine: VulkanEngine, _ name: String, _ precision: Precision, _ cases: [ConformanceCase])
            async
        {
            let clock = ContinuousClock()
            let start = clock.now
            let failures = await conformanceFailures(of: engine, precision: precision, cases: cases)
            for failure in failures { print("\(name): \(failure)") }
            print(
                "\(name): \(cases.count) cases, \(failures.count) failures, \(start.duration(to: clock.now))")
            fflush(nil)
            failureCount += failures.count
            caseCount += cases.count
        }
        let general = try primitiveCases() + compositeCases() + randomCases(count: 24, seed: 1)
        let (products, attention) = (try cooperativeProductCases(), try cooperativeAttentionCases())
        await hold(engine, "attention", .float16, attention)
        await hold(engine, "products", .float16, products)
        for precision in engine.deviceDescription.precisions where !matricesOnly {
            await hold(engine, precision.rawValue, precision, general)
        }
        // Every way to divide a product, not the fastest alone.
        for divided in engine.withEachDivision() where division.isEmpty || divided.name.contains(division) {
            await hold(divided.engine, divided.name, .float16, divided.isAttention ? attention : products)
        }
        print("\(caseCount) cases, \(failureCount) failures")
        if failureCount > 0 { throw ExitCode.failure }
    }
}
