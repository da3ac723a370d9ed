import ArgumentParser
import Easel
import Foundation

/// `easel bench`: how fast a model makes pictures on this machine, and in how much memory.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how fast a model makes pictures here, and in how much memory.",
        discussion: """
            Pictures are made once to load and to warm up, then in rounds that are timed; times are medians. The \
            machine's peak is that of a large product of matrices at the same precision. Leave the machine alone \
            meanwhile.
            """)

    @OptionGroup
    var opening: ModelOptions
    @Option(
        help: "The pictures' size in pixels, such as 768x512, or 512 for both (default: the model's own).")
    var size: PictureSize?
    @Option(help: "The number of steps of each round.")
    var steps = Benchmark().steps
    @Option(help: "The number of rounds that are timed.")
    var rounds = Benchmark().rounds
    @Option(help: "The number of pictures computed at once.")
    var batchSize = Benchmark().batchSize
    @Option(help: "How strongly the prompt leads; above 1 a step predicts twice.")
    var cfgScale = Benchmark().guidanceScale
    @Flag(help: "Print one line of JSON.")
    var json = false

    func validate() throws {
        try opening.check()
        guard (0...100).contains(cfgScale) else {
            throw ValidationError("--cfg-scale \(cfgScale) is not possible: it must be from 0 to 100.")
        }
    }

    func run() async throws {
        await reportingErrors { try await interruptible { try await measure() } }
    }

    private func measure() async throws {
        var benchmark = Benchmark(
            width: size?.width, height: size?.height, steps: steps, batchSize: batchSize)
        (benchmark.rounds, benchmark.guidanceScale) = (rounds, cfgScale)
        let start = ContinuousClock.now
        let model = try await opening.open()
        let openSeconds = seconds(start.duration(to: .now))
        let progress = BenchmarkProgress(quiet: json)
        defer { progress.clear() }
        let result = try await model.benchmark(benchmark) { progress.show($0) }
        progress.clear()
        let report = BenchmarkReport(result, openSeconds: openSeconds, threads: opening.processor.cpu.threads)
        print(json ? try report.line() : report.table)
    }
}

/// A picture's size as it is written: 768x512, or 512 for a square.
struct PictureSize: ExpressibleByArgument, Hashable {
    let width: Int
    let height: Int

    init?(argument: String) {
        let sides = argument.lowercased().split(
            separator: argument.contains("×") ? "×" : "x", omittingEmptySubsequences: false
        ).map { Int($0) }
        guard (1...2).contains(sides.count), let width = sides[0], let height = sides[sides.count - 1] else {
            return nil
        }
        (self.width, self.height) = (width, height)
    }
}
