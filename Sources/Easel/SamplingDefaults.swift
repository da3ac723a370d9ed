import Conditioning
import Foundation
import Sampling

/// The settings of sampling that a request has where nothing else is asked for: those that a model of few steps is made
/// for, as its card says, or the usual ones.
public struct SamplingDefaults: Sendable, Hashable {
    /// The number of times that the sampler advances.
    public var steps = 25
    /// How strongly the prompt leads; at 1 it is the prompt alone.
    public var guidanceScale: Float = 7.5
    /// The name of the sampler; nil is the one of the model's own scheduler.
    public var sampler: String?
    /// How the timesteps are spread; nil is as the model says.
    public var timestepSpacing: TimestepSpacing?
    /// The training's timesteps to visit, where the model was distilled at those alone.
    public var timesteps: [Int]?
    /// How much of each step's noise is fresh; nil is the sampler's own.
    public var eta: Double?
    /// What the U-Net was trained to predict; nil is as the model says.
    public var predictionType: PredictionType?
    /// Whether they are those of a distillation to few steps.
    public internal(set) var isForFewSteps = false

    public init() {}

    /// Those of a model that was distilled to few steps without guidance.
    init(steps: Int, sampler: String, guidanceScale: Float = 1, spacing: TimestepSpacing? = .trailing) {
        self.steps = steps
        self.guidanceScale = guidanceScale
        self.sampler = sampler
        timestepSpacing = spacing
        isForFewSteps = true
    }

    /// Whether a request is one for such a model: more steps or more guidance give worse pictures.
    func fit(steps: Int, guidanceScale: Float) -> Bool {
        steps <= max(12, self.steps) && guidanceScale <= (self.guidanceScale > 1 ? 9 : 3)
    }

    /// In words, for what tells of a model.
    var summary: String {
        let isWhole = guidanceScale == guidanceScale.rounded()
        return "\(steps) step\(steps == 1 ? "" : "s")" + (sampler.map { " of \($0)" } ?? "")
            + " at a guidance scale of \(isWhole ? "\(Int(guidanceScale))" : "\(guidanceScale)")"
    }
}

extension DistilledName {
    /// The settings of the card that models of that name have. Where a card has no guidance, or 0 of it, the scale here is
    /// 1, which is the same.
    var settings: SamplingDefaults {
        switch method {
        // stabilityai/sdxl-turbo and sd-turbo.
        case .turbo: return SamplingDefaults(steps: steps ?? 1, sampler: "euler-ancestral")
        // ByteDance/SDXL-Lightning: as many steps as the file's name says; that for one predicts the picture.
        case .lightning:
            var settings = SamplingDefaults(steps: steps ?? 4, sampler: "euler")
            if steps == 1, !isLoRA { settings.predictionType = .sample }
            return settings
        // ByteDance/Hyper-SD: of two and more steps, for guidance where the name has CFG; the LoRA of one step is for any
        // number of them.
        case .hyper:
            if says("cfg") { return SamplingDefaults(steps: steps ?? 8, sampler: "ddim", guidanceScale: 5) }
            guard steps == 1 else { return SamplingDefaults(steps: steps ?? 8, sampler: "ddim") }
            var settings = SamplingDefaults(steps: 1, sampler: isLoRA ? "tcd" : "lcm", spacing: nil)
            if isLoRA { settings.eta = 1 } else { settings.timesteps = [800] }
            return settings
        // latent-consistency/lcm-lora-sdxl and its kin.
        case .lcm: return SamplingDefaults(steps: steps ?? 4, sampler: "lcm", spacing: nil)
        // h1t/TCD-SDXL-LoRA.
        case .tcd: return SamplingDefaults(steps: steps ?? 4, sampler: "tcd", spacing: nil)
        // wangfuyun/PCM_Weights: small guidance is 1 to 2, normal guidance 2.5 to 3.5 in four steps, 3 to 6 in eight.
        case .pcm:
            if says("lcmlike") { return SamplingDefaults(steps: steps ?? 4, sampler: "lcm", spacing: nil) }
            let count = steps ?? 4
            let guidance: Float = says("normalcfg") ? (count > 4 ? 4.5 : 3) : 1
            return SamplingDefaults(steps: count, sampler: "ddim", guidanceScale: guidance)
        // tianweiy/DMD2.
        case .dmd:
            var settings = SamplingDefaults(steps: steps ?? 4, sampler: "lcm", spacing: nil)
            settings.timesteps = [1: [399], 4: [999, 749, 499, 249]][settings.steps]
            return settings
        // jasperai/flash-sdxl.
        case .flash: return SamplingDefaults(steps: steps ?? 4, sampler: "lcm", spacing: nil)
        }
    }
}

extension Model {
    /// The settings that a request has where nothing else is asked for.
    ///
    /// Models that were distilled to few steps need others than the usual ones, and have the same tensors; their names and
    /// titles say it, as `sdxl_lightning_4step`, and the settings are then those of the card of that name. A sampler for few
    /// steps, or a spacing that is trailing, in the model's own `scheduler_config.json` stays.
    public var defaults: SamplingDefaults {
        // latent-consistency/lcm-sdxl and SimianLuo/LCM_Dreamshaper_v7, which are told the guidance scale.
        if parts.unet.guidanceEncodingWidth != nil {
            return SamplingDefaults(steps: 4, sampler: "lcm", guidanceScale: 8, spacing: nil)
        }
        guard var settings = distilled?.settings else { return SamplingDefaults() }
        let isOfConsistency = ["LCMScheduler", "TCDScheduler"].contains(parts.scheduler.className)
        if isOfConsistency || parts.scheduler.timestepSpacing == .trailing {
            (settings.sampler, settings.timestepSpacing, settings.predictionType) = (nil, nil, nil)
            if !isOfConsistency { (settings.timesteps, settings.eta) = (nil, nil) }
        }
        return settings
    }

    /// The same, with the LoRAs that the request and its prompt name: one that makes a model one of few steps, as
    /// `lcm-lora-sdxl` and `Hyper-SD15-8steps-lora`, brings the settings of its card.
    public func defaults(for request: Request) -> SamplingDefaults {
        request.distilledLoRA?.settings ?? defaults
    }
}

extension LoRA {
    /// The file's name without its ending; of one that has the same name in every folder, the folder's, or that of the
    /// repository of the hub that it is from.
    var names: [String] {
        let file = URL(filePath: path)
        let name = file.deletingPathExtension().lastPathComponent
        guard ["pytorch_lora_weights", "adapter_model"].contains(name) else { return [name] }
        return [name, ModelComponents.folderName(file.deletingLastPathComponent())]
    }
}

extension Request {
    /// A request with the settings of sampling that the model is made for.
    public init(
        prompt: String, negativePrompt: String = "", width: Int? = nil, height: Int? = nil,
        seed: UInt64? = nil, count: Int = 1, batchSize: Int = 1, for model: Model
    ) {
        self.init(
            prompt: prompt, negativePrompt: negativePrompt, width: width, height: height, seed: seed,
            count: count,
            batchSize: batchSize)
        apply(model.defaults(for: self))
    }

    /// Takes settings of sampling, where nothing else is asked for afterwards. Where the request starts from a picture, or
    /// has a second pass, there are as many steps as leave one of them to take. Where it follows another program, whose
    /// samplers know no spacing, a trailing one is the schedule `sgm-uniform` there, as the cards say for those programs.
    public mutating func apply(_ defaults: SamplingDefaults) {
        (steps, guidanceScale) = (defaults.steps, defaults.guidanceScale)
        sampler = defaults.sampler ?? sampler
        timestepSpacing = defaults.timestepSpacing ?? timestepSpacing
        timesteps = defaults.timesteps ?? timesteps
        eta = defaults.eta ?? eta
        predictionType = defaults.predictionType ?? predictionType
        if profile != .diffusers, defaults.timestepSpacing == .trailing {
            schedule = "sgm-uniform"
            // Over noise levels, Euler's steps are nearly the same.
            if sampler == "ddim" { sampler = "euler" }
        }
        if initImage != nil {
            let least = leastSteps(strength: strength)
            if least > steps { (steps, timesteps) = (least, nil) }
        }
        if let large = highResolution, large.steps == nil {
            let least = leastSteps(strength: large.strength)
            if least > steps { highResolution?.steps = least }
        }
    }

    /// The fewest steps of which a strength takes one.
    private func leastSteps(strength: Double) -> Int {
        guard (0.001...1).contains(strength) else { return 1 }
        return (1...1000).first { count in
            let (planned, leftOut) = planningProfile.steps(count, strength: strength)
            return planned > leftOut
        } ?? 1
    }

    /// The first LoRA that makes the model one of few steps, by its name.
    var distilledLoRA: DistilledName? {
        let named = ExtraNetworks(prompt, syntax: promptSyntax).loras
        let texts =
            loras.filter { $0.weight > 0 }.map(\.names) + named.filter { $0.weight > 0 }.map { [$0.name] }
        return texts.lazy.compactMap { DistilledName($0, isLoRA: true) }.first
    }
}
