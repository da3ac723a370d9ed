import ArgumentParser
import Easel

extension HighResolution.Upscaler: ExpressibleByArgument {}

/// The options of a second pass at a larger size.
struct HighResolutionOptions: ParsableArguments {
    @Option(help: "Make the picture again so many times as wide and high, from the small one: 2.")
    var hiresScale: Double?
    @Option(help: "How much of the larger picture is given up for noise (default: 0.7).")
    var hiresStrength: Double?
    @Option(help: "The second pass's steps (default: as many as --steps).")
    var hiresSteps: Int?
    @Option(help: "latent or image: what is made larger (default: latent).")
    var hiresUpscaler: HighResolution.Upscaler?

    /// - Throws: `ValidationError`.
    func check() throws {
        if hiresScale == nil, hiresStrength != nil || hiresSteps != nil || hiresUpscaler != nil {
            throw ValidationError(
                "--hires-strength, --hires-steps and --hires-upscaler need a --hires-scale.")
        }
    }

    func apply(to request: inout Request) {
        guard let hiresScale else { return }
        var large = request.highResolution ?? HighResolution()
        large.scale = hiresScale
        if let hiresStrength { large.strength = hiresStrength }
        if let hiresSteps { large.steps = hiresSteps }
        if let hiresUpscaler { large.upscaler = hiresUpscaler }
        request.highResolution = large
    }
}
