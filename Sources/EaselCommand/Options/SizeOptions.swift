import ArgumentParser
import Easel

/// What Stable Diffusion XL is told of a picture beside its prompt. What is not given stays as the request has it.
struct SizeOptions: ParsableArguments {
    @Option(
        help: "The size that a picture in training would have had, as 1024x1024 (default: the picture's).")
    var originalSize: PixelSize?
    @Option(help: "Where in a larger picture this one begins, from the left and from above: 0,0 (default).")
    var crop: NumberList?
    @Option(help: "The size that a picture in training would have been cropped to (default: the picture's).")
    var targetSize: PixelSize?
    @Option(help: "How beautiful a picture is, for the refiner, from 0 to 10 (default: 6).")
    var aestheticScore: Float?
    @Option(help: "The same of what it is led away from (default: 2.5).")
    var negativeAestheticScore: Float?

    /// - Throws: `ValidationError`.
    func check() throws {
        guard let crop = crop?.values else { return }
        guard crop.count == 2, crop.allSatisfy({ Int(exactly: $0) != nil }) else {
            throw ValidationError("--crop takes two whole numbers: 0,0.")
        }
    }

    func apply(to request: inout Request) {
        if let originalSize { request.sizeConditioning.originalSize = originalSize }
        if let crop = crop?.values.compactMap({ Int(exactly: $0) }), crop.count == 2 {
            request.sizeConditioning.crop = .init(left: crop[0], top: crop[1])
        }
        if let targetSize { request.sizeConditioning.targetSize = targetSize }
        if let aestheticScore { request.sizeConditioning.aestheticScore = aestheticScore }
        if let negativeAestheticScore {
            request.sizeConditioning.negativeAestheticScore = negativeAestheticScore
        }
    }
}
