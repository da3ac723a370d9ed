import ArgumentParser
import Easel
import Sampling

extension RandomSource: ExpressibleByArgument {}
extension StepNoise: ExpressibleByArgument {}

extension PixelSize: ExpressibleByArgument {
    public init?(argument: String) {
        let sides = argument.lowercased().split(separator: "x").map { Int($0) }
        guard sides.count == 2, let width = sides[0], let height = sides[1] else { return nil }
        self.init(width: width, height: height)
    }
}

/// The options of random numbers. What is not given stays as the request has it.
struct SeedOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "What the noise is drawn from (default: random, and printed).")
    var seed: UInt64?
    @Option(help: "torch-cpu or torch-cuda: which of PyTorch's generators draws (default: torch-cpu).")
    var rng: RandomSource?
    @Option(
        help: "sequential or brownian-tree: where samplers' noise comes from (default: as --like has it).")
    var stepNoise: StepNoise?
    @Option(help: "Other noise to mix in, counting up; all pictures then have the same --seed.")
    var subseed: UInt64?
    @Option(help: "How much of it, from 0 to 1.")
    var subseedStrength: Double?
    @Option(
        help: "The size that the seed's noise is drawn for, as 512x512, to keep a composition at another.")
    var seedResize: PixelSize?

    /// - Throws: `ValidationError`.
    func check() throws {
        if subseed != nil, subseedStrength == nil {
            throw ValidationError("--subseed does nothing without --subseed-strength.")
        }
    }

    func apply(to request: inout Request) {
        if let seed { request.seed = seed }
        if request.seed == nil { request.seed = UInt64(UInt32.random(in: 0...UInt32.max)) }
        if let rng { request.randomSource = rng }
        if let stepNoise { request.stepNoise = stepNoise }
        if let subseedStrength {
            let drawn = UInt64(UInt32.random(in: 0...UInt32.max))
            request.variation = NoiseVariation(
                subseed: subseed ?? request.variation?.subseed ?? drawn, strength: subseedStrength)
        }
        if let seedResize { request.seedSize = seedResize }
    }
}
