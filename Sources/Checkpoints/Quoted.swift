extension String {
    /// The text in double quotes for a message: control characters, quotes and backslashes escaped, so that
    /// a name from a file cannot disturb a terminal or a log; cut after 80 characters.
    package var quoted: String {
        var result = "\""
        var length = 0
        for scalar in unicodeScalars {
            length += 1
            if length > 80 { return result + "…\"" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default:
                if scalar == "\"" || scalar == "\\" { result += "\\" }
                result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
