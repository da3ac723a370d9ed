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

    func run() async throws {
        let engine = try VulkanEngine(device)
        let cases =
            try primitiveCases() + compositeCases() + cooperativeProductCases() + cooperativeAttentionCases()
            + randomCases(count: 24, seed: 1)
        var failureCount = 0
        for precision in engine.deviceDescription.precisions {
            let failures = await conformanceFailures(of: engine, precision: precision, cases: cases)
            for failure in failures { print("\(precision.rawValue): \(failure)") }
            failureCount += failures.count
        }
        // Every way to divide a product, not the fastest alone.
        for divided in engine.withEachDivision() {
            let failures = await conformanceFailures(
                of: divided.engine, precision: .float16, cases: try cooperativeProductCases())
            for failure in failures { print("\(divided.name): \(failure)") }
            failureCount += failures.count
        }
        print("\(cases.count) cases, \(failureCount) failures on \(engine.deviceDescription.name)")
        if failureCount > 0 { throw ExitCode.failure }
    }
}
