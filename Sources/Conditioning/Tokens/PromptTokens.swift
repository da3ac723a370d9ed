/// A prompt as the text encoder reads it, and what did not fit.
public struct PromptTokens: Sendable, Hashable {
    /// `[length]`: the start token, the prompt's tokens, the end token, then padding.
    public let ids: [Int32]
    /// How many of ``ids`` are the prompt's own: at most `length` − 2.
    public let promptCount: Int
    /// The prompt's tokens that did not fit, in their order; empty where all did.
    public let cutIDs: [Int32]
    /// The text of ``cutIDs``, in lowercase and with spaces between words, for a warning.
    public let cutText: String
}

/// The prompts of one picture with classifier-free guidance (Ho and Salimans 2022, arXiv 2207.12598).
public struct GuidedPromptTokens: Sendable, Hashable {
    /// What guidance leads away from; the tokens of the empty prompt where nobody said.
    public let negative: PromptTokens
    public let positive: PromptTokens

    /// `[2, length]`, row by row: the negative prompt first, as the U-Net's batch has it in diffusers.
    public var batch: [Int32] { negative.ids + positive.ids }
}
