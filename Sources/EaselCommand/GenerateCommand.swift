import ArgumentParser
import Easel
import EngineInterface
import Foundation
import Imaging
import Sampling

extension Precision: ExpressibleByArgument {}
extension Profile: ExpressibleByArgument {}

/// `easel generate`: a prompt goes in, pictures come out.
struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Make pictures from a prompt (the default command).",
        discussion: """
            Exit codes: 0 done, 64 wrong usage, 65 bad input file, 69 engine or network missing, 70 internal fault, \
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
    @OptionGroup
    var opening: ModelOptions
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
    @OptionGroup(title: "What Stable Diffusion XL is told")
    var sizes: SizeOptions
    @OptionGroup(title: "A second pass at a larger size")
    var large: HighResolutionOptions
    @OptionGroup(title: "Starting from a picture")
    var source: SourceOptions
    @OptionGroup(title: "Several settings")
    var sweeps: SweepOptions
    @Option(help: "The number of pictures; their seeds count up.")
    var count = 1
    @Option(help: "The number of pictures computed at once.")
    var batchSize = 1
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
        let swept = Set(sweeps.sweep.map(\.name))
        if text == nil && prompt == nil && from == nil && !swept.contains("prompt") {
            throw ValidationError("A prompt is missing: easel \"a red apple on a table\".")
        }
        try sampling.check()
        try seeds.check()
        try sizes.check()
        try large.check()
        try sweeps.check()
        try opening.check()
        try prompts.check(swept: swept)
        try source.check(isFrom: from != nil, swept: swept)
        if count != 1, sweeps.variations != nil {
            throw ValidationError(
                "--count and --variations exclude each other: both say how many pictures are made.")
        }
        if previewProtocol != nil, preview == nil {
            throw ValidationError("--preview-protocol does nothing without --preview.")
        }
        guard (1...100).contains(quality) else {
            throw ValidationError("--quality \(quality) is not possible: it must be from 1 to 100.")
        }
    }

    func run() async throws {
        await reportingErrors { try await interruptible { try await generate() } }
    }

    /// The request of the options, over that of the picture whose settings are taken.
    ///
    /// - Parameter swept: The prompt in place of the options'; nil for theirs.
    private func request(_ settings: PictureSettings?, prompt swept: String? = nil) throws -> Request {
        var request = settings?.request ?? Request(prompt: "")
        if let like { request.imitate(like) }
        if let prompt = swept ?? prompt ?? text { request.prompt = prompt }
        if let width { request.width = width }
        if let height { request.height = height }
        (request.count, request.batchSize) = (count, batchSize)
        request.previewInterval = preview
        try prompts.apply(to: &request)
        prompts.resolveNames(in: &request, try opening.folders.store)
        if from != nil { sampling.apply(to: &request) }
        seeds.apply(to: &request)
        sizes.apply(to: &request)
        if let variations = sweeps.variations {
            request.count = variations
            request.variation = NoiseVariation(
                subseed: seeds.subseed ?? request.seed ?? 0, strength: seeds.subseedStrength ?? 0.15)
        }
        large.apply(to: &request)
        try source.apply(to: &request, settings: settings)
        return request
    }

    /// The request with the settings that the model is made for, where no option and no picture says otherwise.
    private func completed(_ request: Request, for model: Model) -> Request {
        guard from == nil else { return request }
        var request = request
        sampling.apply(model.defaults(for: request), to: &request)
        return request
    }

    private var pictureProtocol: PictureProtocol {
        guard preview != nil, !quiet, !json else { return .none }
        return previewProtocol
            ?? .detected(
                environment: ProcessInfo.processInfo.environment, isTerminal: isatty(STDERR_FILENO) == 1)
    }

    /// The requests of all sweeps, each with the command that it is of; one where there are none.
    private func requests(
        _ settings: PictureSettings?
    ) throws -> [(command: GenerateCommand, request: Request)] {
        let base = try request(settings)
        guard !sweeps.sweep.isEmpty else { return [(self, base)] }
        return try sweeps.cells.map { cell in
            // The last of an option's values counts. Without a seed, all have the one that was drawn.
            var arguments = ["--seed", "\(base.seed ?? 0)"]
            if seeds.subseedStrength != nil, let variation = base.variation {
                arguments += ["--subseed", "\(variation.subseed)"]
            }
            for (sweep, value) in cell where sweep.name != Sweep.promptReplace && sweep.name != "prompt" {
                arguments.append("--\(sweep.name)=\(value)")
            }
            // Behind a -- nothing is an option.
            let own = CommandLine.arguments.dropFirst()
            let end = own.firstIndex(of: "--") ?? own.endIndex
            let command = try Self.parsed(Array(own[..<end] + arguments + own[end...]))
            let prompt = cell.first { $0.sweep.name == "prompt" }?.value
            var request = try command.request(settings, prompt: prompt)
            for (sweep, value) in cell {
                if sweep.name == Sweep.promptReplace {
                    request.prompt = request.prompt.replacingOccurrences(of: sweep.values[0], with: value)
                    request.negativePrompt = request.negativePrompt.replacingOccurrences(
                        of: sweep.values[0], with: value)
                }
            }
            return (command, request)
        }
    }

    /// The command of other arguments.
    private static func parsed(_ arguments: [String]) throws -> GenerateCommand {
        do {
            guard let command = try EaselTool.parseAsRoot(arguments) as? GenerateCommand else {
                throw ValidationError("--sweep makes pictures with generate.")
            }
            return command
        } catch {
            throw SweepError(reason: EaselTool.message(for: error))
        }
    }

    private func generate() async throws {
        let settings = try from.map { try PictureSettings(of: $0) }
        let asked = try requests(settings)
        let count = asked[0].request.count
        // Variations have one seed.
        let isVaried = count > 1 && (asked[0].request.variation?.strength ?? 0) > 0
        let files = try OutputFiles(
            output, isOne: count == 1 && asked.count == 1, isNumbered: asked.count > 1 || isVaried)
        let clock = ContinuousClock()
        let start = clock.now
        let model = try await opening.open(as: settings)
        let requests = asked.map { $0.command.completed($0.request, for: model) }
        let first = requests[0]
        if requests.count > 1 { for request in requests { try model.check(request) } }
        let openingTime = start.duration(to: clock.now)
        var progress = ProgressLine(quiet: quiet || json)
        defer { progress.clear() }
        var previews = PreviewDisplay(pictureProtocol)
        var report = GenerationReport(first, model: model, opening: openingTime)
        let needsGrid = sweeps.grid || requests.count > 1
        var (made, notes): ([Int: Image], PictureNotes?) = ([:], nil)
        for (cell, request) in requests.enumerated() {
            let earlier = report.timings
            for try await event in model.generate(request) {
                switch event {
                case .stage(let stage): progress.show(stage)
                case .step(let step):
                    if let preview = step.preview { previews.show(preview) }
                    progress.show(step, picture: cell * count + step.picture, of: count * requests.count)
                case .warning(let warning):
                    progress.clear()
                    if !quiet { FileHandle.standardError.write(Data("easel: \(warning)\n".utf8)) }
                    report.warnings.append(warning.description)
                case .finished(let picture):
                    let index = cell * count + picture.index
                    let file = files.file(seed: picture.seed, index: index)
                    try picture.write(to: file, quality: quality)
                    progress.clear()
                    previews.keep()
                    report.add(picture, file: file, after: earlier)
                    if needsGrid {
                        made[index] = picture.image
                        notes = notes ?? PictureNotes(parameters: picture.metadata.parameters)
                    }
                    if !json { tell(quiet ? file.path : "\(file.path)  seed \(picture.seed)") }
                }
            }
            // A cancelled task's events end without an error.
            try Task.checkCancellation()
        }
        for (index, grid) in grids(made, count: count, cells: requests.count).enumerated() {
            let file = files.gridFile(
                seed: first.seed ?? 0, index: index, of: requests.count > 1 ? count : 1)
            try PictureFile(grid, notes: notes ?? PictureNotes()).write(to: file, quality: quality)
            report.grids = (report.grids ?? []) + [file.path]
            if !json { tell(file.path) }
        }
        if json { print(try report.line(model)) }
    }

    /// Prints a line at once, also where it goes to another program.
    private func tell(_ line: String) {
        print(line)
        fflush(nil)
    }

    /// The pictures side by side: all of them in one grid, or, of sweeps, each picture of the count in a grid of its own.
    private func grids(_ made: [Int: Image], count: Int, cells: Int) -> [Image] {
        guard !made.isEmpty else { return [] }
        guard cells > 1 else { return [sweeps.gridded((0..<count).map { made[$0] })] }
        return (0..<count).map { picture in
            sweeps.gridded((0..<cells).map { made[$0 * count + picture] })
        }
    }
}
