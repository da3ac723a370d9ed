import Checkpoints
import Foundation
import Imaging
import Synchronization

/// The server's settings as AUTOMATIC1111's clients read and write them, kept in a file.
final class A1111Options: Sendable {
    private let values: Mutex<JSONObject>
    private let file: URL

    private static let defaults: JSONObject = [
        "samples_format": "png", "samples_save": true, "sd_vae": "Automatic", "CLIP_stop_at_last_layers": 1,
        "randn_source": "GPU", "eta_noise_seed_delta": 0, "eta_ddim": 0.0, "eta_ancestral": 1.0,
        "token_merging_ratio": 0.0, "live_previews_enable": true, "show_progress_every_n_steps": 1,
        "return_grid": false, "enable_pnginfo": true, "jpeg_quality": 80, "sd_checkpoint_cache": 0,
    ]

    init(_ file: URL) {
        self.file = file
        var values = Self.defaults
        if let read = try? JSONValue(contentsOf: file), let object = read.objectValue {
            for member in object.members where Self.defaults[member.key] != nil {
                values = values.with(member.key, member.value)
            }
        }
        self.values = Mutex(values)
    }

    func text(_ name: String) -> String? { values.withLock { $0[name] }?.stringValue }

    /// Read as a request's own fields are: it may be text.
    func integer(_ name: String) -> Int? {
        let fields = A1111Fields(values.withLock { $0 })
        return try? fields.integer(name)
    }

    /// All of them.
    ///
    /// - Parameters:
    ///   - model: The current model's title.
    ///   - hash: The SHA-256 of its file; nil where it is not known.
    func all(model: String, hash: String?) -> JSONValue {
        .object(
            values.withLock { $0 }.with("sd_model_checkpoint", .string(model)).with(
                "sd_checkpoint_hash", hash.map { .string($0) } ?? .null))
    }

    /// Changes those that are known; others are passed over, since clients send whole objects back.
    ///
    /// - Throws: `ImageError` where the file cannot be written.
    func set(_ fields: A1111Fields) throws {
        let text = values.withLock { values in
            for member in fields.members where Self.defaults[member.key] != nil && !member.value.isNull {
                values = values.with(member.key, member.value)
            }
            return JSONValue.object(values).text
        }
        try replaceFile(at: file, with: Data(text.utf8))
    }
}
