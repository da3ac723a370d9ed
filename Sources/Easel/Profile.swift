import Conditioning
import Sampling

/// Another program, whose rules are followed together so that settings published for it give its picture.
public enum Profile: String, Sendable, Hashable, CaseIterable {
    /// Prompts without syntax, PyTorch's CPU generator, diffusers' noise levels.
    case diffusers
    /// AUTOMATIC1111's web UI: its prompts, a graphics processor's generator, each sampler's own schedule over the whole
    /// range of noise levels, Brownian paths for the samplers over the stochastic equation, and one step more from a
    /// picture.
    case a1111
    /// ComfyUI's standard nodes: its prompts and weights, noise of the central processor and steps' noise of a graphics
    /// processor, and as many steps as asked for from a picture, however much of it is kept.
    case comfyui
    /// stable-diffusion.cpp: AUTOMATIC1111's weights without its other syntax, a graphics processor's generator.
    case stableDiffusionCpp = "sd.cpp"

    /// Which steps are taken: so many are planned, and so many of them left out at the start.
    ///
    /// - Parameter strength: Of the picture to start from; nil for noise.
    func steps(_ steps: Int, strength: Double?) -> (planned: Int, leftOut: Int) {
        guard let strength else { return (steps, 0) }
        switch self {
        case .diffusers: return (steps, steps - min(Int(Double(steps) * strength), steps))
        case .a1111, .stableDiffusionCpp:
            return (steps, max(steps - Int(min(strength, 0.999) * Double(steps)) - 1, 0))
        case .comfyui:
            if strength > 0.9999 { return (steps, 0) }
            guard strength > 0 else { return (steps, steps) }
            let planned = Int(min(Double(steps) / strength, 1e6))
            return (planned, planned - steps)
        }
    }

    var convention: ScheduleConvention {
        switch self {
        case .diffusers: .diffusers
        case .a1111: .automatic1111
        case .comfyui: .comfyUI
        case .stableDiffusionCpp: .stableDiffusionCpp
        }
    }

    /// Where steps' noise comes from.
    var stepNoise: StepNoise { self == .a1111 || self == .comfyui ? .brownianTree : .sequential }

    /// What draws steps' noise; nil for what drew the first.
    var stepSource: RandomSource? { self == .comfyui ? .torchCUDA : nil }

    /// Whether a picture's latents are drawn around their mean, in the pictures' own order of draws.
    var drawsEncodings: Bool { self == .diffusers }

    /// Whether prompts change at the model's calls, and not at the sampler's steps.
    var countsCalls: Bool { self == .a1111 }

    /// Whether the shorter of two prompts leads by its own embeddings alone: those programs compute each prompt for itself
    /// where they differ in length. Else it is filled up with the empty prompt.
    var leadsAtOwnLength: Bool { self != .diffusers }

    /// What the program means by a sampler's name.
    func samplerName(_ name: String) -> String {
        self == .comfyui && name.lowercased() == "ddim" ? "euler" : name
    }
}

extension Request {
    /// Follows a program's rules, where nothing else is asked for afterwards.
    public mutating func imitate(_ profile: Profile) {
        self.profile = profile
        emphasis = nil
        stepNoise = nil
        dynamicPrompts = profile == .comfyui
        switch profile {
        case .diffusers: (promptSyntax, randomSource) = (.plain, .torchCPU)
        case .a1111: (promptSyntax, randomSource) = (.a1111, .torchCUDA)
        case .comfyui: (promptSyntax, randomSource) = (.comfyui, .torchCPU)
        case .stableDiffusionCpp: (promptSyntax, randomSource) = (.stableDiffusionCpp, .torchCUDA)
        }
    }

    /// Which steps are taken, of those that the profile plans.
    ///
    /// - Parameter startsFromPicture: Whether they begin at ``initImage``, if there is one, and not at noise alone.
    func plannedSteps(startsFromPicture: Bool) -> (planned: Int, leftOut: Int) {
        planningProfile.steps(stepCount, strength: initImage == nil || !startsFromPicture ? nil : strength)
    }

    /// Whose rule says which steps are taken: of levels that were given there are no more to plan, as ComfyUI would, so that
    /// the strength's share of them is taken.
    var planningProfile: Profile {
        profile == .comfyui && (sigmas != nil || timesteps != nil) ? .diffusers : profile
    }
}
