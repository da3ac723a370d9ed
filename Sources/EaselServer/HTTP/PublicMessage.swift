/// What may be said of an error to those who are not at this machine: its sentence, with the names of folders left out.
enum PublicMessage {
    static func text(of error: any Error) -> String { withoutFolders("\(error)") }

    /// A text whose absolute paths are only the names of their files.
    static func withoutFolders(_ text: String) -> String {
        var result = ""
        var word = ""
        func flush() {
            let isPath = word.hasPrefix("/") && word.dropFirst().contains("/")
            result += isPath ? String(word.split(separator: "/").last ?? "") : word
            word = ""
        }
        for character in text {
            if character.isWhitespace || "\"'(),;:".contains(character) {
                flush()
                result.append(character)
            } else {
                word.append(character)
            }
        }
        flush()
        return result
    }
}
