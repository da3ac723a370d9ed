/// What pictures are wanted, in the words of the command line; nil is the default. What a job keeps, so that it can be
/// made after a restart: pictures are named by the hash of their bytes.
public struct JobSettings: Codable, Sendable, Hashable {
    public var prompt: String
    public var negativePrompt: String?
    /// A name of the models that are there; nil is the current one.
    public var model: String?
    public var vae: String?
    /// In pixels, from 64 to 2048; nil is the model's own.
    public var width: Int?
    public var height: Int?
    public var steps: Int?
    public var guidanceScale: Float?
    public var guidanceRescale: Double?
    /// Picture `i` of several has the seed plus `i`.
    public var seed: Seed?
    public var sampler: String?
    public var schedule: String?
    public var rho: Double?
    public var eta: Double?
    public var timestepSpacing: String?
    /// The number of pictures.
    public var count: Int?
    /// The number of pictures that are computed at once.
    public var batchSize: Int?
    public var clipSkip: Int?
    /// Whose rules are followed: `diffusers`, `a1111`, `comfyui` or `sd.cpp`.
    public var profile: String?
    public var promptSyntax: String?
    public var emphasis: String?
    public var rng: String?
    public var tiling: String?
    public var subseed: Seed?
    public var subseedStrength: Double?
    public var loras: [NamedLoRA]?
    /// The hash of a picture to start from.
    public var initImage: String?
    public var strength: Double?
    public var resize: String?
    /// The hash of a picture: white is made anew.
    public var mask: String?
    public var maskBlur: Double?
    public var maskInvert: Bool?
    public var fill: String?
    public var onlyMaskedPadding: Int?
    public var composite: Bool?
    /// By how many pixels the picture is made larger.
    public var extend: Sides?
    public var hires: SecondPass?
    public var cache: String?
    public var tokenMerging: Double?
    /// After how many steps each time there is a preview; 0 for none.
    public var previewInterval: Int?
    /// From −10 to 10; what is higher comes first.
    public var priority: Int?

    public init(prompt: String) { self.prompt = prompt }

    /// A LoRA by the name that the server knows it by.
    public struct NamedLoRA: Codable, Sendable, Hashable {
        public var name: String
        public var weight: Float?
        public var textEncoderWeight: Float?

        public init(name: String, weight: Float? = nil, textEncoderWeight: Float? = nil) {
            self.name = name
            self.weight = weight
            self.textEncoderWeight = textEncoderWeight
        }

        enum CodingKeys: String, CodingKey, CaseIterable {
            case name, weight
            case textEncoderWeight = "text_encoder_weight"
        }
    }

    public struct Sides: Codable, Sendable, Hashable {
        public var left: Int?
        public var right: Int?
        public var top: Int?
        public var bottom: Int?

        public init(left: Int = 0, right: Int = 0, top: Int = 0, bottom: Int = 0) {
            (self.left, self.right, self.top, self.bottom) = (left, right, top, bottom)
        }

        enum CodingKeys: String, CodingKey, CaseIterable { case left, right, top, bottom }
    }

    /// A second pass at a larger size.
    public struct SecondPass: Codable, Sendable, Hashable {
        public var scale: Double?
        public var strength: Double?
        public var steps: Int?
        public var upscaler: String?

        public init(
            scale: Double? = nil, strength: Double? = nil, steps: Int? = nil, upscaler: String? = nil
        ) {
            (self.scale, self.strength, self.steps, self.upscaler) = (scale, strength, steps, upscaler)
        }

        enum CodingKeys: String, CodingKey, CaseIterable { case scale, strength, steps, upscaler }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case prompt, model, vae, width, height, steps, seed, sampler, schedule, rho, eta, count, profile,
            emphasis
        case rng, tiling, subseed, loras, strength, resize, mask, fill, composite, extend, hires, cache,
            priority
        case negativePrompt = "negative_prompt"
        case guidanceScale = "guidance_scale"
        case guidanceRescale = "guidance_rescale"
        case timestepSpacing = "timestep_spacing"
        case batchSize = "batch_size"
        case clipSkip = "clip_skip"
        case promptSyntax = "prompt_syntax"
        case subseedStrength = "subseed_strength"
        case initImage = "init_image"
        case maskBlur = "mask_blur"
        case maskInvert = "mask_invert"
        case onlyMaskedPadding = "only_masked_padding"
        case tokenMerging = "token_merging"
        case previewInterval = "preview_interval"
    }
}

/// A seed: a number, or, since JavaScript's numbers end at 2⁵³, a string of decimal digits.
public struct Seed: Codable, Sendable, Hashable {
    public let value: UInt64

    public init(_ value: UInt64) { self.value = value }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(UInt64.self) {
            value = number
        } else if let text = try? container.decode(String.self), let number = UInt64(text) {
            value = number
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a seed is a whole number from 0 to 18446744073709551615")
        }
    }

    /// As a number where JavaScript holds it exactly.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if value < 1 << 53 { try container.encode(value) } else { try container.encode(String(value)) }
    }
}
