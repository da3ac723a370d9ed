import Checkpoints
import Easel
import Foundation
import Imaging

/// What a request to OpenAI's Images API asks for.
struct OpenAIRequest: Sendable {
    var settings: JobSettings
    /// Whether pictures are sent as base64, else as addresses.
    var sendsBase64 = false
    var format = PictureFormat.png
    /// Of JPEG and WebP, from 1 to 100.
    var quality = PictureFormat.defaultQuality
    var streams = false
    /// How many previews a stream has of each picture.
    var partialImages = 0

    /// - Parameters:
    ///   - text: A field's value as text, from JSON or a form; nil where it is not given.
    ///   - native: Easel's own settings, over which the fields lie.
    ///   - needsToken: Whether the server answers only those who know its token.
    /// - Throws: ``APIError``.
    init(_ text: (_ name: String) throws -> String?, native: JSONValue?, needsToken: Bool) throws {
        var settings = JobSettings(prompt: "")
        if let native {
            guard case .object(let object) = native else {
                throw APIError.invalid("easel", "easel must be an object of Easel's own settings")
            }
            let whole = object["prompt"] == nil ? object.with("prompt", "") : object
            settings = try JSONRequest.decoded(
                JobSettings.self, from: .object(whole), fields: JobRoutes.fields)
        }
        if let prompt = try text("prompt") { settings.prompt = prompt }
        func number(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
            guard let text = try text(name) else { return nil }
            guard let number = Int(text), range.contains(number) else {
                throw APIError.invalid(
                    name, "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
        func word(_ name: String, _ words: [String]) throws -> String? {
            guard let text = try text(name) else { return nil }
            guard words.contains(text) else {
                throw APIError.invalid(name, "\(name) must be one of \(words.joined(separator: ", "))")
            }
            return text
        }
        let model = try text("model")
        if let model, !Self.foreignModels.contains(model) { settings.model = model }
        settings.count = try number("n", 1...10) ?? settings.count
        if let size = try text("size"), size != "auto" {
            let sides = size.split(separator: "x").map { Int($0) }
            guard sides.count == 2, let width = sides[0], let height = sides[1] else {
                throw APIError.invalid("size", "size must be auto or such as 512x512")
            }
            (settings.width, settings.height) = (width, height)
        }
        let asked = try word("response_format", ["url", "b64_json"])
        let isNew =
            try text("output_format") != nil || text("stream") == "true"
            || model?.hasPrefix("gpt-image") == true
        // The newer models of that API send base64 and nothing else; the older ones send addresses unless asked, which
        // lead nowhere for who does not send the token with each request.
        sendsBase64 = asked == "b64_json" || (asked == nil && (isNew || needsToken))
        switch try word("output_format", ["png", "jpeg", "webp"]) {
        case "jpeg": format = .jpeg
        case "webp": format = .webP
        default: break
        }
        quality = max(try number("output_compression", 0...100) ?? quality, 1)
        streams = try word("stream", ["true", "false"]) == "true"
        partialImages = try number("partial_images", 0...3) ?? 0
        self.settings = settings
    }

    /// Names that clients send by default, which here mean the current model.
    private static let foreignModels: Set<String> = [
        "dall-e-2", "dall-e-3", "gpt-image-1", "gpt-image-1-mini", "gpt-image-1.5", "",
    ]
}
