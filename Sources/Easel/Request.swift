import Conditioning
import Foundation
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
    /// The LoRAs that the model is taken with, besides those that the prompt names.
    public var loras: [LoRA] = []
    /// Where the LoRAs are that the prompt names, as `<lora:name:0.8>`; never looked at where the syntax is plain.
    public var loraFolders: [URL] = []
    /// The words that the model is taught, besides those in ``embeddingFolders``.
    public var embeddings: [Embedding] = []
    /// Where files of words are, each known by the file's name; ComfyUI's syntax has `embedding:name`. In Compel's and plain
    /// prompts, the word that a file itself says stands for it too.
    public var embeddingFolders: [URL] = []
    /// Which of the text encoder's layers is read, counted from the last, which is 1.
    public var clipSkip = 1
    /// In pixels: a multiple of the model's factor from 64 to 2048; nil is the model's own size, or that of
    /// ``initImage``, rounded down to a multiple.
    public var width: Int?
    /// In pixels, as the width.
    public var height: Int?
    /// What Stable Diffusion XL is told of the picture beside the prompt.
    public var sizeConditioning = SizeConditioning()
    /// The number of times that the sampler advances, from 1. Models that were distilled to few steps want others than the
    /// usual ones: ``Model/defaults``.
    public var steps: Int
    /// How strongly the prompt leads (Ho and Salimans 2022); at 1 or below the negative prompt is not used.
    public var guidanceScale: Float
    /// Scales spread evenly over the steps, linear between; instead of ``guidanceScale``.
    public var guidanceSchedule: [Float] = []
    /// Which part of the steps is guided, from 0 to 1; in the rest the prompt alone leads, in half the time.
    public var guidanceInterval: ClosedRange<Double> = 0...1
    /// How much of the contrast that guidance adds is taken back, from 0 to 1 (Lin et al. 2023).
    public var guidanceRescale = 0.0
    /// How strongly the picture to start from leads, with a model that edits pictures (Brooks et al., 2023, equation 3);
    /// from 1, where it leads as it does without guidance; nil takes 1.5.
    public var imageGuidanceScale: Float?
    /// How far away things are, lighter being nearer, for a model of depth; of any size.
    public var depthMap: Image?
    /// How strongly the prompt leads away from what the U-Net makes without looking around in its middle (Ahn et al.,
    /// 2024), from 0, not at all, to 100; costs one more pass. 3 is usual.
    public var perturbedAttentionScale: Float = 0
    /// FreeU; nil for none.
    public var freeU: FreeU?
    /// The U-Net's deep features kept over some steps, which then cost a fraction; nil for none.
    public var deepCache: DeepCache?
    /// The share of cells that are merged with those that are most like them where the U-Net's finest level attends to
    /// itself, from 0 to 0.75 (Bolya and Hoffman, "Token Merging for Fast Stable Diffusion", 2023). It pays for large
    /// pictures.
    public var tokenMergingRatio = 0.0
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
    /// The training's timesteps to visit, falling; instead of ``steps`` and ``schedule``. Models that were distilled to a
    /// few steps say which.
    public var timesteps: [Int]?
    /// How the timesteps are spread over those trained with (Lin et al. 2023, table 2); nil is as the model says.
    public var timestepSpacing: TimestepSpacing?
    /// Whether the noise schedule is rescaled to end in noise alone (Lin et al. 2023, algorithm 1), for models trained so;
    /// nil is as the model says.
    public var zeroTerminalSNR: Bool?
    /// What the U-Net was trained to predict; nil is as the model says, or as its weights show.
    public var predictionType: PredictionType?
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
    /// The pass before, where this is the second of two, and the latents that it starts from instead of ``initImage``'s.
    var firstPass: FirstPass?
    var initLatents: Latents?
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

/// A size in pixels.
public struct PixelSize: Sendable, Hashable {
    public var width: Int
    public var height: Int

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }
}
