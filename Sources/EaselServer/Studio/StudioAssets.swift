import Checkpoints
import Crypto
import Foundation

/// The files that the studio is made of.
enum StudioAssets {
    struct Asset: Sendable {
        let bytes: Data
        let type: String
        /// Changes with the bytes.
        let tag: String
    }

    /// By name; read once, so that nothing of a request becomes a path.
    static let all: [String: Asset] = {
        var assets: [String: Asset] = [:]
        for name in ServerResources.names(in: "Assets") {
            let ending = name.split(separator: ".").last.map(String.init) ?? ""
            guard let type = types[ending], let stored = ServerResources.bytes("Assets/\(name)") else {
                continue
            }
            let bytes = Data(compact(String(decoding: stored, as: UTF8.self), ending: ending).utf8)
            let tag = SHA256.hash(data: bytes).prefix(8).hexadecimal
            assets[name] = Asset(bytes: bytes, type: type, tag: tag)
        }
        return assets
    }()

    /// The studio's page with its style in it, as what is before, between and behind the chosen theme and what it shows first;
    /// read once.
    struct Page: Sendable {
        let start, middle, end: String
        /// The style's hash, as a policy names it.
        let styleHash: String
    }

    static let page: Page? = {
        guard let html = all["studio.html"], let css = all["studio.css"] else { return nil }
        let style = String(decoding: css.bytes, as: UTF8.self)
        let text = String(decoding: html.bytes, as: UTF8.self).replacing("{{STYLE}}", with: style)
        guard let theme = text.firstRange(of: "{{THEME}}"), let shown = text.firstRange(of: "{{INITIAL}}")
        else {
            return nil
        }
        return Page(
            start: String(text[..<theme.lowerBound]),
            middle: String(text[theme.upperBound..<shown.lowerBound]), end: String(text[shown.upperBound...]),
            styleHash: "sha256-" + Data(SHA256.hash(data: css.bytes)).base64EncodedString())
    }()

    /// A text without what only its readers need: indentation, and lines that are a comment and nothing else. No text may
    /// have a string that goes over several lines.
    static func compact(_ text: String, ending: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.drop { $0 == "\t" } }
            .filter { line in
                switch ending {
                case "js": !line.hasPrefix("//")
                case "css":
                    line.firstRange(of: "/*")?.lowerBound != line.startIndex
                        || line.firstRange(of: "*/")?.upperBound != line.endIndex
                default: true
                }
            }
            .joined(separator: "\n")
    }

    private static let types = [
        "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
    ]
}
