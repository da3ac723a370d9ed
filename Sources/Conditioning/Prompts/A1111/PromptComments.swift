/// AUTOMATIC1111's comments: from `#` to the line's end; a line that is all comment leaves no line.
enum PromptComments {
    static func stripped(from prompt: String) -> String {
        guard prompt.contains("#") else { return prompt }
        return prompt.replacing(#/(^|\n)#[^\n]*(\n|$)/#, with: "\n").replacing(#/#[^\n]*(\n|$)/#, with: "\n")
    }
}
