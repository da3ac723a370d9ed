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
