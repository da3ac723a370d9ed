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
    /// The picture's path.
    let path: String
    /// The name of the model that made it, and of the autoencoder in place of the model's own; nil where it is not told.
    let model: String?
    let vae: String?

    /// - Throws: `ImageError`; ``SettingsError`` where the picture carries none; what the request's words mean nothing
    ///   for.
    init(of path: String) throws {
        self.path = path
        let notes = try PictureFile(contentsOf: URL(filePath: path)).notes
        if let json = notes.record, let record = try? GenerationRecord(json: json) {
            request = try Request(record)
            startsFromPicture = record.strength != nil
            hasMask = record.hasMask
            (model, vae) = (record.model, record.vae)
        } else if let metadata = notes.parameters.flatMap({ GenerationMetadata(parameters: $0) }) {
            request = try Request(metadata)
            startsFromPicture = metadata.initStrength != nil
            (model, vae) = (metadata.model, metadata.autoencoder)
            hasMask = metadata.extras.contains { $0.key == "Masked content" }
        } else {
            throw SettingsError(file: path)
        }
    }
}

/// A picture without Easel's record.
struct RecordMissing: Error, CustomStringConvertible {
    let file: String
    var description: String {
        "\(file): carries no record of Easel's, which is what --json prints of a picture; what else it says of how it was "
            + "made is shown without --json"
    }
}

/// A picture without settings.
struct SettingsError: Error, CustomStringConvertible {
    let file: String
    var description: String {
        "\(file): carries no settings that are read: Easel's record or AUTOMATIC1111's parameters"
    }
}
