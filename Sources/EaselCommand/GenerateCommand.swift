import ArgumentParser
import Conditioning
import Easel
import EngineInterface
import Foundation
import OpenVINOEngine

extension Precision: ExpressibleByArgument {}
extension PromptSyntax: ExpressibleByArgument {}
extension Emphasis: ExpressibleByArgument {}

/// Numbers with commas between.
struct NumberList: ExpressibleByArgument {
    let values: [Double]

    init?(argument: String) {
        let numbers = argument.split(separator: ",").map { Double($0.trimmingPrefix(while: \.isWhitespace)) }
        let values = numbers.compactMap { $0 }
        guard !values.isEmpty, values.count == numbers.count else { return nil }
        self.values = values
    }
}

/// `easel generate`: a prompt goes in, pictures come out.
struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Make pictures from a prompt (the default command).",
        discussion: """
            Exit codes: 0 done, 64 wrong usage, 65 bad input file, 69 engine missing, 70 internal fault, \
            74 output cannot be written, 130 interrupted.
            """)

    @Argument(help: "What the picture shows.")
    var text: String?
    @Option(name: [.short, .long], help: "What the picture shows, as an option.")
    var prompt: String?
    @Option(name: [.short, .long], help: "What the picture does not show.")
    var negativePrompt = ""
    @Option(
        help: "a1111 or plain: whether brackets, BREAK, AND and [from:to:when] mean something in prompts.")
    var promptSyntax = PromptSyntax.a1111
    @Option(help: "original, no-norm, interpolated or ignore: what weights do.")
    var emphasis = Emphasis.original
    @Option(help: "Which of the text encoder's layers is read, counted from the last, which is 1.")
    var clipSkip = 1
    @Option(name: [.short, .long], help: "A model in diffusers' folder layout (default: the demo model).")
    var model: String?
    @Option(name: [.short, .long], help: "A PNG file, or a folder/ (default: easel-<seed>.png).")
    var output: String?
    @Option(name: [.customShort("W"), .long], help: "Width in pixels (default: the model's own).")
    var width: Int?
    @Option(name: [.customShort("H"), .long], help: "Height in pixels (default: the model's own).")
    var height: Int?
    @Option(help: "How many times the sampler advances.")
    var steps = 25
    @Option(
        name: [.long, .customLong("cfg-scale")], help: "How strongly the prompt leads; 1 is not at all.")
    var guidanceScale: Float = 7.5
    @Option(help: "Scales spread over the steps, with commas between; instead of --guidance-scale.")
    var guidanceSchedule: NumberList?
    @Option(
        help: "Which part of the steps is guided, from 0 to 1: 0.1,0.8 leaves out the first and the last.")
    var guidanceInterval: NumberList?
    @Option(help: "How much of the contrast that guidance adds is taken back, from 0 to 1.")
    var guidanceRescale = 0.0
    @Option(name: [.short, .long], help: "What the noise is drawn from (default: random, and printed).")
    var seed: UInt64?
    @Option(help: "A name that `easel samplers` lists (default: the model's own).")
    var sampler: String?
    @Option(help: "A schedule of noise levels that `easel samplers` lists (default: the model's own).")
    var schedule: String?
    @Option(help: "The noise levels themselves: falling numbers with commas between; instead of --steps.")
    var sigmas: NumberList?
    @Option(help: "How much of each step's noise is fresh, from 0 to 1 (default: the sampler's own).")
    var eta: Double?
    @OptionGroup(title: "Starting from a picture")
    var source: SourceOptions
    @Option(help: "The number of pictures; their seeds count up.")
    var count = 1
    @Option(help: "The number of pictures computed at once.")
    var batchSize = 1
    @Option(help: "auto, f32, bf16 or f16: the arithmetic of the networks.")
    var precision = Precision.automatic
    @Option(help: "The number of threads (default: one a core).")
    var threads: Int?
    @Flag(name: [.short, .long], help: "Print nothing but errors and the files' names.")
    var quiet = false
    @Flag(help: "Print one line of JSON: seed, files, timings, peak memory.")
    var json = false

    func validate() throws {
        if text != nil && prompt != nil {
            throw ValidationError("The prompt is given twice, as an argument and with --prompt.")
        }
        if text == nil && prompt == nil {
            throw ValidationError("A prompt is missing: easel \"a red apple on a table\".")
        }
        if let interval = guidanceInterval?.values {
            guard interval.count == 2, interval[0] <= interval[1] else {
                throw ValidationError("--guidance-interval takes two numbers that do not fall: 0.1,0.8.")
            }
        }
        try source.check()
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads \(threads) is not possible: it must be from 1 to 1024.")
        }
    }

    func run() async throws {
        try await reportingErrors { try await interruptible { try await generate() } }
    }

    private func generate() async throws {
        var request = Request(
            prompt: prompt ?? text ?? "", negativePrompt: negativePrompt, width: width, height: height,
            steps: steps, guidanceScale: guidanceScale, seed: seed, sampler: sampler, count: count,
            batchSize: batchSize)
        request.promptSyntax = promptSyntax
        request.emphasis = emphasis
        request.clipSkip = clipSkip
        request.schedule = schedule
        request.sigmas = sigmas?.values
        request.eta = eta
        request.guidanceSchedule = guidanceSchedule?.values.map { Float($0) } ?? []
        if let interval = guidanceInterval?.values { request.guidanceInterval = interval[0]...interval[1] }
        request.guidanceRescale = guidanceRescale
        try source.apply(to: &request)
        request.seed = seed ?? UInt64(UInt32.random(in: 0...UInt32.max))
        let files = try OutputFiles(output, count: count)
        let clock = ContinuousClock()
        let start = clock.now
        let model = try Model(
            at: ModelLocation.folder(named: model), engine: OpenVINOEngine(threads: threads),
            precision: precision)
        let opening = start.duration(to: clock.now)
        var progress = ProgressLine(quiet: quiet || json)
        defer { progress.clear() }
        var report = GenerationReport(request, model: model, opening: opening)
        for try await event in model.generate(request) {
            switch event {
            case .stage(let stage): progress.show(stage)
            case .step(let step): progress.show(step, of: count)
            case .warning(let warning):
                progress.clear()
                if !quiet { FileHandle.standardError.write(Data("easel: \(warning)\n".utf8)) }
                report.warnings.append(warning.description)
            case .finished(let picture):
                let file = files.file(seed: picture.seed, index: picture.index)
                try picture.write(to: file)
                progress.clear()
                report.add(picture, file: file)
                if !json { print(quiet ? file.path : "\(file.path)  seed \(picture.seed)") }
            }
        }
        // A cancelled task's events end without an error.
        try Task.checkCancellation()
        if json { print(try report.line()) }
    }
}
