import Easel
import Foundation
import Imaging

/// The settings that a picture carries.
struct PictureSettings {
    /// The request that made it, but for the pictures that it started from.
    let request: Request
    /// Whether it started from a picture, and whether it had a mask.
    let startsFromPicture: Bool
    let hasMask: Bool

    /// - Throws: `ImageError`; ``SettingsError`` where the picture carries none; what the request's words mean nothing
    ///   for.
    init(of path: String) throws {
        let file = URL(filePath: path)
        let bytes = (try? Data(contentsOf: file)) ?? Data()
        // A file that is no PNG is refused as a picture first.
        _ = try Image(contentsOf: file)
        guard let png = try? PNG(reading: bytes, named: path) else { throw SettingsError(file: path) }
        func text(_ keyword: String) -> String? { png.texts.first { $0.keyword == keyword }?.text }
        if let json = text(GenerationRecord.keyword), let record = try? GenerationRecord(json: json) {
            request = try Request(record)
            startsFromPicture = record.strength != nil
            hasMask = request.inpainting != nil
        } else if let metadata = text("parameters").flatMap({ GenerationMetadata(parameters: $0) }) {
            request = try Request(metadata)
            startsFromPicture = metadata.strength != nil
            hasMask = metadata.extras.contains { $0.key == "Masked content" }
        } else {
            throw SettingsError(file: path)
        }
    }
}

/// A picture without settings.
struct SettingsError: Error, CustomStringConvertible {
    let file: String
    var description: String {
        "\(file): carries no settings that are read: a PNG file with Easel's record or AUTOMATIC1111's parameters does"
    }
}
