extension JSONValue {
    /// The value as a document of two spaces a level, as Python's `json` writes it.
    public var text: String {
        var text = ""
        write(to: &text, depth: 0)
        return text + "\n"
    }

    /// The value on one line, without spaces.
    public var line: String {
        var text = ""
        write(to: &text, depth: nil)
        return text
    }

    /// - Parameter depth: Nil for one line.
    private func write(to text: inout String, depth: Int?) {
        let inner = depth.map { $0 + 1 }
        func line(_ depth: Int?) {
            if let depth { text += "\n" + String(repeating: "  ", count: depth) }
        }
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let number): text += number.text
        case .string(let string): text += Self.quoted(string)
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                line(inner)
                value.write(to: &text, depth: inner)
            }
            if !values.isEmpty { line(depth) }
            text += "]"
        case .object(let object):
            text += "{"
            for (index, member) in object.members.enumerated() {
                if index > 0 { text += "," }
                line(inner)
                text += Self.quoted(member.key) + (depth == nil ? ":" : ": ")
                member.value.write(to: &text, depth: inner)
            }
            if object.count > 0 { line(depth) }
            text += "}"
        }
    }

    /// A text between quotation marks, its characters as they are but for those that JSON does not have.
    static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
