/// AUTOMATIC1111's comments: from `#` to the line's end; a line that is all comment leaves no line.
enum PromptComments {
    static func stripped(from prompt: String) -> String {
        guard prompt.unicodeScalars.contains("#") else { return prompt }
        let lines = stripped(Array(prompt.unicodeScalars), wholeLines: true)
        return String(String.UnicodeScalarView(stripped(lines, wholeLines: false)))
    }

    /// With a line's end in the place of each comment; one that is a whole line takes the end of the line before with it.
    private static func stripped(_ scalars: [Unicode.Scalar], wholeLines: Bool) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        var index = 0
        while index < scalars.count {
            let hasEnd = wholeLines && scalars[index] == "\n"
            let start = hasEnd ? index + 1 : index
            guard start < scalars.count, scalars[start] == "#", hasEnd || !wholeLines || start == 0 else {
                result.append(scalars[index])
                index += 1
                continue
            }
            result.append("\n")
            index = (scalars[start...].firstIndex(of: "\n") ?? scalars.count - 1) + 1
        }
        return result
    }
}
