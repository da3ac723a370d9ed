import ArgumentParser
import Easel
import Sampling

extension TimestepSpacing: ExpressibleByArgument {}
extension Tiling: ExpressibleByArgument {}
extension PredictionType: ExpressibleByArgument {}

extension FreeU: ExpressibleByArgument {
    public init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1).map(String.init)
        guard let version = parts.first.flatMap(FreeU.Version.init(rawValue:)) else { return nil }
        guard parts.count == 2 else {
            self.init(version: version)
            return
        }
        guard let scales = NumberList(argument: parts[1])?.values.map({ Float($0) }), scales.count == 4 else {
            return nil
        }
        self.init(b1: scales[0], b2: scales[1], s1: scales[2], s2: scales[3], version: version)
    }
}

/// What is kept from step to step: `none`, `deep` or `deep:INTERVAL`.
struct CacheOption: ExpressibleByArgument {
    let cache: DeepCache?

    init?(argument: String) {
        cache = DeepCache(argument)
        if cache == nil, argument != "none" { return nil }
    }
}

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

/// The options of sampler, noise levels and guidance. What is not given stays as the request has it.
struct SamplingOptions: ParsableArguments {
    @Flag(
        help:
            "Nearly the same picture in a third of the time: 12 steps of dpmpp-2m with --cache deep:3, where no option says otherwise; models of few steps stay as they are."
    )
    var fast = false
    @Option(
        help:
            "How many times the sampler advances (default: 25; for models of few steps, as their card says).")
    var steps: Int?
    @Option(help: "A name that `easel samplers` lists (default: the model's own).")
    var sampler: String?
    @Option(help: "A schedule of noise levels that `easel samplers` lists (default: the model's own).")
    var schedule: String?
    @Option(help: "The exponent of karras and polyexponential (default: 7 and 1).")
    var rho: Double?
    @Option(help: "The noise levels themselves: falling numbers with commas between; instead of --steps.")
    var sigmas: NumberList?
    @Option(
        help: "The training's timesteps to visit: falling numbers with commas between; instead of --steps.")
    var timesteps: NumberList?
    @Option(help: "leading, linspace or trailing: how timesteps are spread (default: as the model says).")
    var timestepSpacing: TimestepSpacing?
    @Flag(
        inversion: .prefixedNo,
        help: "Rescale the noise schedule to end in noise alone (default: as the model says).")
    var zeroTerminalSnr: Bool?
    @Option(help: "epsilon, v_prediction or sample: what the model predicts (default: as it says or shows).")
    var predictionType: PredictionType?
    @Option(help: "How much of each step's noise is fresh, from 0 to 1 (default: the sampler's own).")
    var eta: Double?
    @Option(
        name: [.long, .customLong("cfg-scale")],
        help:
            "How strongly the prompt leads; 1 is not at all (default: 7.5; for models of few steps, mostly 1)."
    )
    var guidanceScale: Float?
    @Option(help: "Scales spread over the steps, with commas between; instead of --guidance-scale.")
    var guidanceSchedule: NumberList?
    @Option(
        help: "Which part of the steps is guided, from 0 to 1: 0.1,0.8 leaves out the first and the last.")
    var guidanceInterval: NumberList?
    @Option(help: "How much of the contrast that guidance adds is taken back, from 0 to 1 (default: 0).")
    var guidanceRescale: Double?
    @Option(help: "Lead away from what the network makes without looking around; 3 is usual (default: 0).")
    var pagScale: Float?
    @Option(help: "FreeU: v1 or v2, or with its scales b1, b2, s1 and s2: v2:1.5,1.6,0.9,0.2.")
    var freeu: FreeU?
    @Option(
        help:
            "deep or deep:3: compute the network's depths in one of so many steps only; or none (default: none)."
    )
    var cache: CacheOption?
    @Option(
        help:
            "The share of cells merged with others that are like them, from 0 to 0.75: for large pictures (default: 0)."
    )
    var tokenMerging: Double?
    @Option(help: "x, y or xy: make opposite edges of the picture fit together.")
    var tiling: Tiling?

    /// - Throws: `ValidationError`.
    func check() throws {
        if let interval = cache?.cache?.interval, !DeepCache.intervals.contains(interval) {
            throw ValidationError(
                "--cache deep:\(interval) is not possible: the interval must be from "
                    + "\(DeepCache.intervals.lowerBound) to \(DeepCache.intervals.upperBound); 3 is usual.")
        }
        if let timesteps, timesteps.values.contains(where: { Int(exactly: $0) == nil }) || sigmas != nil {
            throw ValidationError("--timesteps takes whole numbers, and goes without --sigmas.")
        }
        if let ratio = tokenMerging, !Request.tokenMergingRatios.contains(ratio) {
            throw ValidationError(
                "--token-merging \(ratio) is not possible: it must be from 0 to 0.75, as three of four cells can be "
                    + "merged; 0.5 is usual.")
        }
        guard let interval = guidanceInterval?.values else { return }
        guard interval.count == 2, interval[0] <= interval[1] else {
            throw ValidationError("--guidance-interval takes two numbers that do not fall: 0.1,0.8.")
        }
    }

    /// Takes the settings that the model is made for, where no option says otherwise.
    func apply(_ defaults: SamplingDefaults, to request: inout Request) {
        var defaults = defaults
        // What goes with the sampler of the defaults alone.
        if sampler != nil { (defaults.timesteps, defaults.eta) = (nil, nil) }
        let large = request.highResolution
        request.apply(defaults)
        if steps != nil { request.highResolution = large }
        if sampler != nil || sigmas != nil || timesteps != nil { request.schedule = nil }
        apply(to: &request, usesPreset: !defaults.isForFewSteps)
    }

    /// - Parameter usesPreset: Whether `--fast` counts.
    func apply(to request: inout Request, usesPreset: Bool = true) {
        if fast, usesPreset { request.apply(.fast) }
        if steps != nil || sigmas != nil || timesteps != nil {
            (request.sigmas, request.timesteps) = (nil, nil)
        }
        if let steps { request.steps = steps }
        if let sampler { request.sampler = sampler }
        if let schedule { request.schedule = schedule }
        if let rho { request.rho = rho }
        if let sigmas { request.sigmas = sigmas.values }
        if let timesteps { request.timesteps = timesteps.values.map { Int($0) } }
        if let predictionType { request.predictionType = predictionType }
        if let eta { request.eta = eta }
        if let timestepSpacing { request.timestepSpacing = timestepSpacing }
        if let zeroTerminalSnr { request.zeroTerminalSNR = zeroTerminalSnr }
        if let guidanceScale { request.guidanceScale = guidanceScale }
        if let guidanceSchedule { request.guidanceSchedule = guidanceSchedule.values.map { Float($0) } }
        if let interval = guidanceInterval?.values { request.guidanceInterval = interval[0]...interval[1] }
        if let guidanceRescale { request.guidanceRescale = guidanceRescale }
        if let pagScale { request.perturbedAttentionScale = pagScale }
        if let freeu { request.freeU = freeu }
        if let cache { request.deepCache = cache.cache }
        if let tokenMerging { request.tokenMergingRatio = tokenMerging }
        if let tiling { request.tiling = tiling }
    }
}
