import Checkpoints
import Foundation
import SwiftCSV

/// Words that are put around a prompt, or behind it, under a name.
public struct PromptStyle: Sendable, Hashable {
    public let name: String
    /// What the prompt gets: where it has `{prompt}` the prompt is put in its place, else it follows behind a comma.
    public let prompt: String
    /// What the negative prompt gets, in the same way.
    public let negativePrompt: String

    public init(name: String, prompt: String, negativePrompt: String = "") {
        self.name = name
        self.prompt = prompt
        self.negativePrompt = negativePrompt
    }
}

extension Request {
    /// Puts a style's words to the prompts, as AUTOMATIC1111 does.
    public mutating func apply(_ style: PromptStyle) {
        func merged(_ own: String, _ words: String) -> String {
            if words.contains("{prompt}") { return words.replacingOccurrences(of: "{prompt}", with: own) }
            return [own, words].map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
                .filter { !$0.isEmpty }.joined(separator: ", ")
        }
        prompt = merged(prompt, style.prompt)
        negativePrompt = merged(negativePrompt, style.negativePrompt)
    }
}

/// The styles of a file: a CSV with the columns `name`, `prompt` and `negative_prompt`, as AUTOMATIC1111's `styles.csv`.
public struct PromptStyles: Sendable, Hashable {
    /// In the file's order; one whose name begins with `#` is left out.
    public let all: [PromptStyle]
    private let file: String

    /// The most bytes that a file may have.
    private static let maximumByteCount = 16 << 20

    /// - Throws: `FileError` where the file cannot be read, ``PromptStyleError``.
    public init(contentsOf url: URL) throws {
        let bytes = try [UInt8](contentsOf: url, limit: Self.maximumByteCount)
        try self.init(csv: String(decoding: bytes, as: UTF8.self), file: url.path)
    }

    /// - Parameter file: What the text is called in errors.
    /// - Throws: ``PromptStyleError``.
    init(csv text: String, file: String) throws(PromptStyleError) {
        let table: CSV<Named>
        do {
            // Spreadsheets write a byte order mark.
            table = try CSV<Named>(
                string: text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text, delimiter: .comma)
        } catch {
            throw .malformed(file: file, reason: "\(error)")
        }
        // "text" is what the column was called at first.
        let column = table.header.contains("prompt") ? "prompt" : "text"
        guard table.header.contains("name"), table.header.contains(column) else {
            throw .malformed(file: file, reason: "there are no columns \"name\" and \"prompt\"")
        }
        all = table.rows.compactMap { row in
            guard let name = row["name"], !name.isEmpty, !name.hasPrefix("#") else { return nil }
            return PromptStyle(
                name: name, prompt: row[column] ?? "", negativePrompt: row["negative_prompt"] ?? "")
        }
        self.file = file
    }

    /// The style of that name.
    ///
    /// - Throws: ``PromptStyleError/unknown(name:file:known:)``.
    public func named(_ name: String) throws(PromptStyleError) -> PromptStyle {
        guard let style = all.first(where: { $0.name == name }) else {
            throw .unknown(name: name, file: file, known: all.map(\.name))
        }
        return style
    }
}

/// Why a style cannot be used.
public enum PromptStyleError: Error, Sendable, Hashable, CustomStringConvertible {
    case malformed(file: String, reason: String)
    case unknown(name: String, file: String, known: [String])

    public var description: String {
        switch self {
        case .malformed(let file, let reason): "\(file): is no table of styles: \(reason)"
        case .unknown(let name, let file, let known):
            "\(file): there is no style \"\(name)\"; there are: "
                + (known.isEmpty
                    ? "none" : known.prefix(20).joined(separator: ", ") + (known.count > 20 ? ", …" : ""))
        }
    }
}
