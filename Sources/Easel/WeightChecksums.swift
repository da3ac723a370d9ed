import Checkpoints
import Foundation

/// Compares a model's weights with the checksums that its files have of them, as PyTorch's archives do: once in the
/// process, beside the first pictures, and large files once for as long as they are as they were.
actor WeightChecksums {
    /// Those of each file.
    private let weights: [any WeightStorage]
    private let known: FileNotes<Bool>
    private var comparison: Task<Void, any Error>?
    private let leastByteCount: Int

    /// - Parameters:
    ///   - file: Where it is kept which files were found as their checksums say.
    ///   - leastByteCount: Smaller files are compared in each process.
    init(
        _ parts: ModelParts,
        keptIn file: URL = cacheFolder.appending(path: "easel/checksums.json"),
        leastByteCount: Int = 16 << 20
    ) {
        var origins: Set<String> = []
        weights = (parts.textEncoders.map(\.weights) + [parts.unetWeights, parts.autoencoderWeights])
            .filter { origins.insert($0.origin).inserted }
        known = FileNotes(file: file)
        self.leastByteCount = leastByteCount
    }

    /// Begins what ``validate()`` then waits for.
    func begin() { _ = started() }

    /// - Throws: `FileError`, `TorchError` where the weights are not those that a file has checksums of.
    func validate() async throws { try await started().value }

    private func started() -> Task<Void, any Error> {
        if let comparison { return comparison }
        let comparison = Task.detached(priority: .utility) { [weights, known, leastByteCount] in
            for weights in weights {
                let file = LoadedFile(URL(filePath: weights.origin).standardizedFileURL.path)
                if known[file] == true { continue }
                // Files of no checksums, and those that an index names, are not written down.
                guard try weights.validateChecksums(), file.byteCount ?? 0 >= leastByteCount else {
                    continue
                }
                known.keep(true, of: file)
            }
        }
        self.comparison = comparison
        return comparison
    }
}
