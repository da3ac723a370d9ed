import Checkpoints
import Foundation
import Imaging

/// The hashes of the files that a picture was made with, as AUTOMATIC1111 writes them beside the settings.
struct RecordedHashes: Sendable {
    /// Nil for a model in a folder.
    var model: String?
    /// Of an autoencoder in place of the model's own; nil for one in a folder.
    var autoencoder: String?
    /// By the files' names.
    var loras: [(name: String, hash: String)] = []
    var embeddings: [(name: String, hash: String)] = []

    /// Reads what is not known yet; a file that is gone has no hash.
    init(_ plan: GenerationPlan, _ model: Model) async {
        await model.hash?.begin()
        if let file = model.externalAutoencoder {
            autoencoder = try? HashCache.shared.hashes(of: file, hasHeader: false).shortHash
        }
        for adapter in plan.adapters {
            let file = URL(filePath: adapter.use.file.path)
            let format = try? Checkpoint(contentsOf: file).format
            let hashes = try? HashCache.shared.hashes(of: file, hasHeader: format == .safetensors)
            if let hash = hashes?.valuesHash { loras.append((Self.name(file), hash)) }
        }
        for path in plan.embeddings.files {
            let file = URL(filePath: path)
            let hashes = try? HashCache.shared.hashes(of: file, hasHeader: false)
            if let hash = hashes?.sha256.prefix(12) { embeddings.append((Self.name(file), String(hash))) }
        }
        self.model = await model.hash?.shortHash()
    }

    private static func name(_ file: URL) -> String { file.deletingPathExtension().lastPathComponent }

    /// What stands among the settings, besides the model's own.
    var extras: [GenerationMetadata.Extra] {
        [("Lora hashes", loras), ("TI hashes", embeddings)].filter { !$0.1.isEmpty }.map { key, hashes in
            .init(key, hashes.map { "\($0.name): \($0.hash)" }.joined(separator: ", "))
        }
    }
}
