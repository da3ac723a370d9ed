import Checkpoints

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

    /// A picture's record with the names of its files and folders alone. Other texts in it stay as they are: what a prompt
    /// says may look like a path.
    static func withoutFolders(record: String) -> String {
        guard var object = try? JSONValue(parsing: Array(record.utf8), named: "the record").objectValue else {
            return record
        }
        let keys = ["loras", "lora_folders", "embeddings", "embedding_folders"].filter { object[$0] != nil }
        guard !keys.isEmpty else { return record }
        for key in keys { object = object.with(key, nameAlone(object[key] ?? .null)) }
        return JSONValue.object(object).line
    }

    private static func nameAlone(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let path): .string(path.split(separator: "/").last.map(String.init) ?? path)
        case .array(let values): .array(values.map(nameAlone))
        case .object(let file): .object(file["path"].map { file.with("path", nameAlone($0)) } ?? file)
        default: value
        }
    }
}
