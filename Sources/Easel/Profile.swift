import Conditioning
import Sampling

/// Another program, whose rules are followed together so that settings published for it give its picture.
public enum Profile: String, Sendable, Hashable, CaseIterable {
    /// Prompts without syntax, PyTorch's CPU generator, diffusers' noise levels.
    case diffusers
    /// AUTOMATIC1111's web UI: its prompts, a graphics processor's generator, each sampler's own schedule over the whole
    /// range of noise levels, and one step more from a picture. Its stochastic samplers over the stochastic equation
    /// draw from a Brownian tree, which these do not.
    case a1111

    /// How many steps are left out for a strength.
    func firstStep(steps: Int, strength: Double) -> Int {
        switch self {
        case .diffusers: steps - min(Int(Double(steps) * strength), steps)
        case .a1111: max(steps - Int(min(strength, 0.999) * Double(steps)) - 1, 0)
        }
    }

    var convention: ScheduleConvention {
        switch self {
        case .diffusers: .diffusers
        case .a1111: .automatic1111
        }
    }
}

extension Request {
    /// Follows a program's rules, where nothing else is asked for afterwards.
    public mutating func imitate(_ profile: Profile) {
        self.profile = profile
        emphasis = nil
        dynamicPrompts = false
        switch profile {
        case .diffusers: (promptSyntax, randomSource) = (.plain, .torchCPU)
        case .a1111: (promptSyntax, randomSource) = (.a1111, .torchCUDA)
        }
    }
}
