import Checkpoints

/// How a prompt is read.
public enum PromptSyntax: String, Sendable, Hashable, CaseIterable {
    /// AUTOMATIC1111's: weights, breaks, composition, editing, alternation and comments; of any length.
    case a1111
    /// Compel's: `word++`, `(a phrase)1.3`, `("one", "other").blend(1, 0.5)`, `("one", "other").and()`; of any length.
    case compel
    /// ComfyUI's: `(word)` and `(word:1.3)`, which is not multiplied with the weights around it; of any length.
    case comfyui
    /// stable-diffusion.cpp's: AUTOMATIC1111's weights and breaks, and nothing that changes on the way.
    case stableDiffusionCpp = "sd.cpp"
    /// As diffusers reads it: every character is text, and what is over one chunk is cut off.
    case plain

    /// What weights do, where nothing else is asked for.
    public var emphasis: Emphasis { self == .compel || self == .comfyui ? .interpolated : .original }
}

/// Why a prompt cannot be read.
public enum PromptError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There are not as many weights as prompts.
    case weightCount(operation: String, prompts: Int, weights: Int)
    /// The weights' sum is 0, so that there is nothing to divide by.
    case weightSum(weights: [Double])
    /// What Compel has and Easel has not.
    case unsupported(operation: String)
    /// The weight of a LoRA in a prompt is no finite number.
    case loraWeight(tag: String, weight: String)

    public var description: String {
        switch self {
        case .weightCount(let operation, let prompts, let weights):
            ".\(operation)() has \(weights) weights for \(prompts) prompts: give one for each, or none"
        case .weightSum(let weights):
            ".blend(\(weights.map { "\($0)" }.joined(separator: ", "))) has weights whose sum is 0: "
                + "change one, or add no_normalize"
        case .unsupported(let operation):
            ".\(operation)() in a prompt is not supported; a dot before a backslash is text"
        case .loraWeight(let tag, let weight):
            "\(tag.quoted) in the prompt: \(weight.quoted) is no weight; give a number, as in <lora:name:0.8>, or none for 1"
        }
    }
}
