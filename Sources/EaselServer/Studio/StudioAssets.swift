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

    /// The studio's page with its style in it, and the style's hash as a policy names it; read once.
    static let page: (text: String, styleHash: String)? = {
        guard let html = all["studio.html"], let css = all["studio.css"] else { return nil }
        let style = String(decoding: css.bytes, as: UTF8.self)
        let text = String(decoding: html.bytes, as: UTF8.self).replacing("{{STYLE}}", with: style)
        return (text, "sha256-" + Data(SHA256.hash(data: css.bytes)).base64EncodedString())
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
