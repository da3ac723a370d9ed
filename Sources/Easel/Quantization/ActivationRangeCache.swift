import Checkpoints
import Crypto
import Foundation
import TensorGraph

/// The ranges of activations that were measured for a network, kept from one run to the next by what its weights are.
///
/// They are in `easel/activation-ranges` in the user's folder for caches (`XDG_CACHE_HOME`).
struct ActivationRangeCache: Sendable {
    private let folder: URL

    init(folder: URL = cacheFolder.appending(path: "easel/activation-ranges")) { self.folder = folder }

    /// What was kept for a key; nil where there is nothing that can be read.
    func ranges(for key: String) -> ActivationRanges? {
        guard let data = try? Data(contentsOf: file(key)) else { return nil }
        return try? JSONDecoder().decode(ActivationRanges.self, from: data)
    }

    /// What cannot be written is not kept: it costs time, nothing else.
    func keep(_ ranges: ActivationRanges, for key: String) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try? encoder.encode(ranges).write(to: file(key), options: .atomic)
    }

    private func file(_ key: String) -> URL { folder.appending(path: "\(key).json") }

    /// A name for weights by their values: the SHA-256 sum of their names, shapes, types, and the beginning of each.
    ///
    /// - Throws: `FileError` where they cannot be read.
    static func key(_ weights: [any WeightStorage]) throws -> String {
        var hash = SHA256()
        for weights in weights {
            let mapped = try weights.map(additionalBytes: 0)
            for name in weights.names.sorted() {
                guard let entry = weights.entry(named: name), let bytes = mapped.bytes(of: name, entry) else {
                    continue
                }
                hash.update(data: Data("\(name) \(entry.shape) \(entry.elementType)\n".utf8))
                hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes.prefix(1024)))
            }
            try mapped.validate()
        }
        return hash.finalize().hexadecimal
    }
}
