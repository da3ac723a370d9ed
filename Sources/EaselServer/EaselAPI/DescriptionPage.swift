import Checkpoints

/// Descriptions of APIs (OpenAPI 3.1) as a page to read: paths with their parameters, bodies and answers, and the types that
/// they name.
struct DescriptionPage: Sendable {
    struct Document: Sendable {
        /// Where it is served.
        let path: String
        let value: JSONValue
    }

    let documents: [Document]

    var html: String {
        let bodies = documents.enumerated().map { Self.section($1, index: $0) }
        let links = documents.enumerated().map { index, document in
            "<li><a href=#api\(index)>\(Self.title(document).escaped)</a>"
        }
        return """
            <!DOCTYPE html>
            <html lang=en>
            <head>
            <meta charset=utf-8>
            <title>Easel: the APIs</title>
            <meta name=viewport content="width=device-width, initial-scale=1">
            <meta name=color-scheme content="dark light">
            <link rel=icon href=/studio/icon.svg type=image/svg+xml>
            <link rel=stylesheet href=/studio/docs.css>
            </head>
            <body>
            <main>
            <h1>Easel: the APIs</h1>
            <ul class=contents>\(links.joined())</ul>
            \(bodies.joined(separator: "\n"))
            </main>
            </body>
            </html>

            """
    }

    private static func title(_ document: Document) -> String {
        document.value["info"]?["title"]?.stringValue ?? document.path
    }

    private static func section(_ document: Document, index: Int) -> String {
        let schemas = document.value["components"]?["schemas"]?.objectValue ?? JSONObject()
        let types = Types(prefix: "api\(index)-", schemas: schemas)
        var html = "<section><h2 id=api\(index)>\(title(document).escaped)</h2>"
        html += paragraph(document.value["info"]?["description"])
        html +=
            "<p>As OpenAPI: <a href=\"\(document.path.escaped)\"><code>\(document.path.escaped)</code></a></p>"
        for path in document.value["paths"]?.objectValue?.members ?? [] {
            for method in path.value.objectValue?.members ?? [] {
                html += operation(method.value, method.key, path.key, types)
            }
        }
        html += schemas.members.isEmpty ? "" : "<h3>Types</h3>"
        for schema in schemas.members {
            html += "<article id=\"\(types.identifier(schema.key))\"><h4>\(schema.key.escaped)</h4>"
            html += types.text(schema.value, isWhole: true) + "</article>"
        }
        return html + "</section>"
    }

    /// A path's method: what it does, what it takes, what it answers.
    private static func operation(
        _ operation: JSONValue, _ method: String, _ path: String, _ types: Types
    ) -> String {
        var html = "<article><h3><span class=method>\(method.uppercased().escaped)</span> "
        html += "<code>\(path.escaped)</code></h3>" + paragraph(operation["summary"])
        html += paragraph(operation["description"])
        let parameters = operation["parameters"]?.arrayValue ?? []
        if !parameters.isEmpty {
            let rows = parameters.map { parameter in
                let name = parameter["name"]?.stringValue ?? ""
                let place = parameter["in"]?.stringValue ?? ""
                return types.row(
                    name, note: place, isRequired: parameter["required"]?.boolValue ?? false,
                    parameter["schema"] ?? .null, description: parameter["description"])
            }
            html += "<h5>Parameters</h5>" + table(rows)
        }
        if let body = operation["requestBody"] {
            html += "<h5>Body</h5>" + contents(body, types)
        }
        let answers = (operation["responses"]?.objectValue?.members ?? []).sorted { $0.key < $1.key }
        let rows = answers.map { answer in
            "<tr><td><code>\(answer.key.escaped)</code><td>"
                + (answer.value["description"]?.stringValue ?? "").escaped + "<td>"
                + contents(answer.value, types)
        }
        return html + "<h5>Answers</h5>" + table(rows) + "</article>"
    }

    /// The media types of a body, and what it is in each.
    private static func contents(_ body: JSONValue, _ types: Types) -> String {
        (body["content"]?.objectValue?.members ?? []).map { member in
            "<div><code>\(member.key.escaped)</code> "
                + (member.value["schema"].map { types.text($0, isWhole: true) } ?? "") + "</div>"
        }.joined()
    }

    private static func paragraph(_ text: JSONValue?) -> String {
        text?.stringValue.map { "<p>\($0.escaped)</p>" } ?? ""
    }

    fileprivate static func table(_ rows: [String]) -> String {
        rows.isEmpty ? "" : "<div class=scroll><table><tbody>\(rows.joined())</table></div>"
    }
}

/// The types of a description.
private struct Types {
    /// What the identifiers of its elements begin with.
    let prefix: String
    let schemas: JSONObject

    func identifier(_ name: String) -> String { (prefix + name).escaped }

    /// A type in words, or, where all of it is wanted, its properties as a table.
    func text(_ schema: JSONValue, isWhole: Bool = false) -> String {
        if let reference = schema["$ref"]?.stringValue {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            guard schemas[name] != nil else { return name.escaped }
            return "<a href=\"#\(identifier(name))\">\(name.escaped)</a>"
        }
        if let choices = (schema["anyOf"] ?? schema["oneOf"])?.arrayValue {
            return choices.map { text($0) }.joined(separator: " or ")
        }
        if let values = schema["enum"]?.arrayValue {
            return values.map { "<code>\($0.line.escaped)</code>" }.joined(separator: ", ") + limits(schema)
        }
        if isWhole, let properties = schema["properties"]?.objectValue, !properties.members.isEmpty {
            let required = Set((schema["required"]?.arrayValue ?? []).compactMap(\.stringValue))
            return DescriptionPage.table(
                properties.members.map { member in
                    row(
                        member.key, note: nil, isRequired: required.contains(member.key), member.value,
                        description: member.value["description"])
                })
        }
        var names = (schema["type"]?.arrayValue ?? [schema["type"]].compactMap { $0 }).compactMap(
            \.stringValue)
        if let items = schema["items"], let place = names.firstIndex(of: "array") {
            let others = names.filter { $0 != "array" }.map { " or " + $0.escaped }.joined()
            names.remove(at: place)
            return "list of " + text(items, isWhole: isWhole) + others + limits(schema)
        }
        if let values = schema["additionalProperties"], values.objectValue != nil {
            return "object of " + text(values) + limits(schema)
        }
        return (names.isEmpty ? "anything" : names.map(\.escaped).joined(separator: " or ")) + limits(schema)
    }

    /// A property or parameter as a table's row.
    func row(
        _ name: String, note: String?, isRequired: Bool, _ schema: JSONValue, description: JSONValue?
    ) -> String {
        let notes = [note, isRequired ? "required" : nil].compactMap { $0?.escaped }.filter { !$0.isEmpty }
        return "<tr><td><code>\(name.escaped)</code>"
            + (notes.isEmpty ? "" : " <small>\(notes.joined(separator: ", "))</small>")
            + "<td>\(text(schema))<td>\((description?.stringValue ?? "").escaped)"
    }

    /// What else is said of a value.
    private func limits(_ schema: JSONValue) -> String {
        let words = [
            ("format", ""), ("minimum", "from "), ("maximum", "to "), ("minLength", "at least so long: "),
            ("maxLength", "at most so long: "), ("minItems", "at least so many: "),
            ("maxItems", "at most so many: "), ("pattern", "like "), ("default", "default "),
        ].compactMap { key, word in
            schema[key].map { "\(word)<code>\(($0.stringValue ?? $0.line).escaped)</code>" }
        }
        return words.isEmpty ? "" : " <small>(\(words.joined(separator: ", ")))</small>"
    }
}

extension JSONValue {
    fileprivate subscript(key: String) -> JSONValue? { objectValue?[key] }
}

extension String {
    /// As text of HTML, between elements or in a quoted attribute.
    var escaped: String {
        var result = ""
        for character in unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
