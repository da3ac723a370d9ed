/// A prompt of Compel's syntax, its brackets resolved.
struct CompelPrompt: Equatable {
    /// A run of text of one weight.
    struct Fragment: Equatable {
        var text: String
        var weight: Double
    }

    /// A text, and how much of it there is in a mixture.
    struct Term: Equatable {
        let fragments: [Fragment]
        let share: Double
    }

    /// A mixture that is encoded on its own, beside others.
    struct Part: Equatable {
        let terms: [Term]
        /// How far from the empty prompt it is.
        let weight: Double
    }

    let parts: [Part]
}
