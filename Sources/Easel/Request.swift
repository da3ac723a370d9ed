import Conditioning
import Imaging
import Sampling

/// What picture is wanted.
public struct Request: Sendable, Hashable {
    /// What the picture shows.
    public var prompt: String
    /// What it does not show.
    public var negativePrompt: String
    /// How the prompts are read.
    public var promptSyntax = PromptSyntax.a1111
    /// Whether `{a|b}` and `__name__` in the prompts are choices, made for each picture from its seed; never where the
    /// syntax is plain.
    public var dynamicPrompts = true
    /// Where the files of `__name__` are; without it, that is text.
    public var wildcards: Wildcards?
    /// How weights in the prompts change their embeddings; nil is as the syntax has it.
    public var emphasis: Emphasis?
    var effectiveEmphasis: Emphasis { emphasis ?? promptSyntax.emphasis }
    /// Which of the text encoder's layers is read, counted from the last, which is 1.
    public var clipSkip = 1
    /// In pixels: a multiple of the model's factor from 64 to 2048; nil is the model's own size, or that of
    /// ``initImage``, rounded down to a multiple.
    public var width: Int?
    /// In pixels, as the width.
    public var height: Int?
    /// The number of times that the sampler advances, from 1.
    public var steps: Int
    /// How strongly the prompt leads (Ho and Salimans 2022); at 1 or below the negative prompt is not used.
    public var guidanceScale: Float
    /// Scales spread evenly over the steps, linear between; instead of ``guidanceScale``.
    public var guidanceSchedule: [Float] = []
    /// Which part of the steps is guided, from 0 to 1; in the rest the prompt alone leads, in half the time.
    public var guidanceInterval: ClosedRange<Double> = 0...1
    /// How much of the contrast that guidance adds is taken back, from 0 to 1 (Lin et al. 2023).
    public var guidanceRescale = 0.0
    /// How strongly the prompt leads away from what the U-Net makes without looking around in its middle (Ahn et al.,
    /// 2024), from 0, not at all, to 100; costs one more pass. 3 is usual.
    public var perturbedAttentionScale: Float = 0
    /// FreeU; nil for none.
    public var freeU: FreeU?
    /// Which axes of the picture have no ends, so that it can be laid side by side; nil for none.
    public var tiling: Tiling?
    /// What the noise is drawn from; nil draws a seed. Picture `i` of several has the seed plus `i`.
    public var seed: UInt64?
    /// Which generator noise is drawn from.
    public var randomSource = RandomSource.torchCPU
    /// Where the noise that samplers add comes from; nil is as the profile has it.
    public var stepNoise: StepNoise?
    /// Other noise mixed into the seed's; all pictures then have the same seed.
    public var variation: NoiseVariation?
    /// The size in pixels that the seed's noise is drawn for, to keep a composition at another size.
    public var seedSize: PixelSize?
    /// The name of the sampler; nil is the one of the model's scheduler_config.json.
    public var sampler: String?
    /// The name of a schedule of noise levels; nil is the model's own.
    public var schedule: String?
    /// The exponent ρ of `karras` and `polyexponential`, above 0, to 100; nil is 7 and 1.
    public var rho: Double?
    /// The noise levels themselves, falling, from 10,000 at most to 0; instead of ``steps`` and ``schedule``.
    public var sigmas: [Double]?
    /// How the timesteps are spread over those trained with (Lin et al. 2023, table 2); nil is as the model says.
    public var timestepSpacing: TimestepSpacing?
    /// Whether the noise schedule is rescaled to end in noise alone (Lin et al. 2023, algorithm 1), for models trained so;
    /// nil is as the model says.
    public var zeroTerminalSNR: Bool?
    /// How much of each step's noise is fresh, from 0 to 1; nil is the sampler's own.
    public var eta: Double?
    /// Whose rules of noise levels and steps are followed; ``imitate(_:)`` sets the rest of them too.
    public var profile = Profile.diffusers
    /// A picture to start from instead of noise.
    public var initImage: Image?
    /// How much of ``initImage`` is given up for noise, from 0 to 1: that share of the steps is taken.
    public var strength = 0.75
    /// How ``initImage`` comes to the request's size.
    public var resize = Resizing.stretch
    /// Which part of ``initImage`` is made anew; nil for all of it.
    public var inpainting: Inpainting?
    /// How much ``initImage`` is made larger, and the rest of it kept; nil for not at all.
    public var outpainting: Outpainting?
    /// A second pass at a larger size; nil for none.
    public var highResolution: HighResolution?
    /// What the second pass is of, and the latents that it starts from instead of ``initImage``'s.
    var largeFrom: HighResolution?
    var initLatents: Latents?
    /// The first pass's size and steps.
    var smallSize: SmallPass?
    /// What the prompts were before choices were made in them.
    var template: PromptTemplate?
    /// The index of the first picture, where this is a part of a request.
    var firstPicture = 0
    /// The number of pictures.
    public var count: Int
    /// After how many steps each time there is a preview, from 1; nil for none.
    public var previewInterval: Int?
    /// The number of pictures that are computed at once.
    public var batchSize: Int

    public init(
        prompt: String, negativePrompt: String = "", width: Int? = nil, height: Int? = nil, steps: Int = 25,
        guidanceScale: Float = 7.5, seed: UInt64? = nil, sampler: String? = nil, count: Int = 1,
        batchSize: Int = 1
    ) {
        self.prompt = prompt
        self.negativePrompt = negativePrompt
        self.width = width
        self.height = height
        self.steps = steps
        self.guidanceScale = guidanceScale
        self.seed = seed
        self.sampler = sampler
        self.count = count
        self.batchSize = batchSize
    }
}

/// Which axes of a picture have no ends.
public enum Tiling: String, Sendable, Hashable, CaseIterable {
    /// Left and right fit together.
    case x
    /// Top and bottom fit together.
    case y
    /// Both.
    case both = "xy"
}

/// The first of two passes.
struct SmallPass: Sendable, Hashable {
    let width: Int
    let height: Int
    let steps: Int
}

/// A size in pixels.
public struct PixelSize: Sendable, Hashable {
    public var width: Int
    public var height: Int

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }
}

/// Why a request cannot be met, before any work is done.
public enum RequestError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A side is not one that the model can make; `nearest` are those that it can.
    case size(axis: String, value: Int, multiple: Int, nearest: [Int])
    /// A number is out of its range.
    case outOfRange(field: String, value: String, range: String)
    /// Nothing of the picture would be made anew.
    case blackMask(isInverted: Bool)
    /// A mask or an extension needs a picture to start from.
    case noInitImage(field: String)
    /// The picture whose settings are taken had a mask.
    case noMask
    /// The networks need more memory for pictures of that size than the machine has; in bytes.
    case memory(width: Int, height: Int, batchSize: Int, needed: Int, available: Int)

    public var description: String {
        switch self {
        case .size(let axis, let value, let multiple, let nearest):
            "\(axis) \(value) is not possible: it must be a multiple of \(multiple) from 64 to 2048; nearest: "
                + nearest.map(String.init).joined(separator: " or ")
        case .outOfRange(let field, let value, let range):
            "\(field) \(value) is not possible: it must be \(range)"
        case .blackMask(let isInverted):
            "the mask is all \(isInverted ? "white, and inverted" : "black"), so that nothing would be made anew: "
                + "\(isInverted ? "black" : "white") is made anew"
        case .noInitImage(let field):
            "\(field) needs a picture to start from: give one with --init-image"
        case .noMask: "the picture of --from was made with a mask: give it with --mask"
        case .memory(let width, let height, let batchSize, let needed, let available):
            "\(width)×\(height) pixels with batch size \(batchSize) take at least \(Self.gigabytes(needed)) GB of "
                + "memory, and this machine has \(Self.gigabytes(available)) GB: take a smaller "
                + (batchSize > 1 ? "batch size" : "size")
        }
    }

    private static func gigabytes(_ bytes: Int) -> String {
        let tenths = bytes / 100_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}

extension Request {
    /// The sides that pictures may have, in pixels.
    static let sides = 64...2048

    /// How many steps are asked for.
    var stepCount: Int { sigmas.map { $0.last == 0 ? $0.count - 1 : $0.count } ?? steps }

    /// The size of what the picture to start from becomes, where it has one of its own.
    ///
    /// Rounded down to a multiple of the factor; made smaller or larger, with the same shape where it can be, to have
    /// sides that pictures may have.
    func ownSize(factor: Int) -> (width: Int, height: Int)? {
        guard let initImage, inpainting?.onlyMaskedPadding == nil else { return nil }
        let extended = outpainting ?? Outpainting()
        let width = initImage.width + extended.left + extended.right
        let height = initImage.height + extended.top + extended.bottom
        let (least, most) = (Double(Self.sides.lowerBound), Double(Self.sides.upperBound))
        let scale = min(max(1, least / Double(min(width, height))), most / Double(max(width, height)))
        func side(_ pixels: Int) -> Int {
            let scaled = Int((Double(pixels) * scale).rounded(scale == 1 ? .down : .toNearestOrEven))
            return max(min(scaled, Self.sides.upperBound), Self.sides.lowerBound) / factor * factor
        }
        return (side(width), side(height))
    }

    /// Checks a side and gives its size in latent cells.
    static func latentSize(axis: String, pixels: Int, factor: Int) throws(RequestError) -> Int {
        guard sides.contains(pixels), pixels % factor == 0 else {
            let bounded = min(max(pixels, sides.lowerBound), sides.upperBound)
            let below = bounded / factor * factor
            let nearest =
                below == bounded ? [bounded] : [below, below + factor].filter { sides.contains($0) }
            throw .size(axis: axis, value: pixels, multiple: factor, nearest: nearest)
        }
        return pixels / factor
    }

    /// Checks what needs no model.
    ///
    /// - Throws: ``RequestError`` for the first field that is out of range.
    func check() throws(RequestError) {
        func require<T: Comparable>(_ field: String, _ value: T, _ range: ClosedRange<T>) throws(RequestError)
        {
            guard range.contains(value) else {
                throw .outOfRange(
                    field: field, value: "\(value)", range: "from \(range.lowerBound) to \(range.upperBound)")
            }
        }
        try require("steps", steps, 1...1000)
        try require("count", count, 1...10_000)
        try require("batch size", batchSize, 1...64)
        try require("preview interval", previewInterval ?? 1, 1...1000)
        try require("strength", strength, 0...1)
        if let large = highResolution {
            guard large.scale > 1, large.scale <= 8 else {
                throw .outOfRange(
                    field: "high-resolution scale", value: "\(large.scale)", range: "above 1, to 8")
            }
            try require("high-resolution strength", large.strength, 0...1)
            try require("high-resolution steps", large.steps ?? 1, 1...1000)
        }
        try require("perturbed-attention scale", perturbedAttentionScale, 0...100)
        for scale in freeU?.scales ?? [] { try require("FreeU's scale", scale, 0...4) }
        if let variation { try require("subseed strength", variation.strength, 0...1) }
        if initImage == nil {
            if inpainting != nil { throw .noInitImage(field: "a mask") }
            if outpainting != nil { throw .noInitImage(field: "extending a picture") }
        }
        if let inpainting {
            try require("mask blur", inpainting.maskBlur, 0...256)
            try require("padding", inpainting.onlyMaskedPadding ?? 0, 0...4096)
        }
        if let outpainting {
            for (side, pixels) in [
                ("left", outpainting.left), ("right", outpainting.right), ("top", outpainting.top),
                ("bottom", outpainting.bottom),
            ] { try require("extension at the \(side)", pixels, 0...2048) }
        }
        for scale in [guidanceScale] + guidanceSchedule where !(scale.magnitude <= 1000) {
            throw .outOfRange(
                field: "guidance scale", value: "\(scale)", range: "a number from -1000 to 1000")
        }
    }
}
