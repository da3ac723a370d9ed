import ArgumentParser
import Easel
import EngineInterface
import Foundation
import Imaging
import OpenVINOEngine

extension Precision: ExpressibleByArgument {}
extension Profile: ExpressibleByArgument {}

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
    @Option(
        help:
            "diffusers, a1111, comfyui or sd.cpp: whose rules are followed, so that its settings give its picture."
    )
    var like: Profile?
    @Option(help: "A picture whose settings are taken, where no option says otherwise.")
    var from: String?
    @Option(name: [.short, .long], help: "A model in diffusers' folder layout (default: the demo model).")
    var model: String?
    @Option(
        name: [.short, .long], help: "A PNG, JPEG or WebP file, or a folder/ (default: easel-<seed>.png).")
    var output: String?
    @Option(help: "Of JPEG and WebP files, from 1 to 100; WebP loses nothing at 100 (default: 95).")
    var quality = PictureFormat.defaultQuality
    @Option(
        name: [.customShort("W"), .long], help: "Width in pixels (default: the model's or the picture's own)."
    )
    var width: Int?
    @Option(name: [.customShort("H"), .long], help: "Height in pixels, as the width.")
    var height: Int?
    @OptionGroup(title: "Prompts")
    var prompts: PromptOptions
    @OptionGroup(title: "Sampling and guidance")
    var sampling: SamplingOptions
    @OptionGroup(title: "Random numbers")
    var seeds: SeedOptions
    @OptionGroup(title: "A second pass at a larger size")
    var large: HighResolutionOptions
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
    @Option(help: "Show what the picture is going to be, each time after so many steps.")
    var preview: Int?
    @Option(help: "kitty, iterm, sixel, blocks or none: how (default: as the terminal can).")
    var previewProtocol: PictureProtocol?
    @Flag(name: [.short, .long], help: "Print nothing but errors and the files' names.")
    var quiet = false
    @Flag(help: "Print one line of JSON: seed, files, timings, peak memory.")
    var json = false

    func validate() throws {
        if text != nil && prompt != nil {
            throw ValidationError("The prompt is given twice, as an argument and with --prompt.")
        }
        if text == nil && prompt == nil && from == nil {
            throw ValidationError("A prompt is missing: easel \"a red apple on a table\".")
        }
        try sampling.check()
        try seeds.check()
        try large.check()
        if from == nil { try source.check() }
        guard (1...100).contains(quality) else {
            throw ValidationError("--quality \(quality) is not possible: it must be from 1 to 100.")
        }
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads \(threads) is not possible: it must be from 1 to 1024.")
        }
    }

    func run() async throws {
        try await reportingErrors { try await interruptible { try await generate() } }
    }

    /// The request of the options, over that of the picture whose settings are taken.
    private func request() throws -> Request {
        let settings = try from.map { try PictureSettings(of: $0) }
        var request = settings?.request ?? Request(prompt: "")
        if let like { request.imitate(like) }
        if let prompt = prompt ?? text { request.prompt = prompt }
        if let width { request.width = width }
        if let height { request.height = height }
        (request.count, request.batchSize) = (count, batchSize)
        request.previewInterval = preview
        try prompts.apply(to: &request)
        sampling.apply(to: &request)
        seeds.apply(to: &request)
        large.apply(to: &request)
        try source.apply(to: &request, settings: settings)
        return request
    }

    private var pictureProtocol: PictureProtocol {
        guard preview != nil, !quiet, !json else { return .none }
        return previewProtocol
            ?? .detected(
                environment: ProcessInfo.processInfo.environment, isTerminal: isatty(STDERR_FILENO) == 1)
    }

    private func generate() async throws {
        let request = try request()
        let files = try OutputFiles(output, count: count)
        let clock = ContinuousClock()
        let start = clock.now
        let model = try Model(
            at: ModelLocation.folder(named: model), engine: OpenVINOEngine(threads: threads),
            precision: precision)
        let opening = start.duration(to: clock.now)
        var progress = ProgressLine(quiet: quiet || json)
        defer { progress.clear() }
        var previews = PreviewDisplay(pictureProtocol)
        var report = GenerationReport(request, model: model, opening: opening)
        for try await event in model.generate(request) {
            switch event {
            case .stage(let stage): progress.show(stage)
            case .step(let step):
                if let preview = step.preview { previews.show(preview) }
                progress.show(step, of: count)
            case .warning(let warning):
                progress.clear()
                if !quiet { FileHandle.standardError.write(Data("easel: \(warning)\n".utf8)) }
                report.warnings.append(warning.description)
            case .finished(let picture):
                let file = files.file(seed: picture.seed, index: picture.index)
                try picture.write(to: file, quality: quality)
                progress.clear()
                previews.keep()
                report.add(picture, file: file)
                if !json { print(quiet ? file.path : "\(file.path)  seed \(picture.seed)") }
            }
        }
        // A cancelled task's events end without an error.
        try Task.checkCancellation()
        if json { print(try report.line()) }
    }
}
