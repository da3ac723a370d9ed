import Foundation

/// The hash of a model's file, which is computed once, beside the first pictures.
actor ModelHash {
    private let file: URL
    private let hasHeader: Bool
    private var computation: Task<FileHashes, any Error>?

    init(file: URL, hasHeader: Bool) {
        self.file = file
        self.hasHeader = hasHeader
    }

    /// Begins what ``shortHash()`` then waits for.
    func begin() { _ = started() }

    private func started() -> Task<FileHashes, any Error> {
        if let computation { return computation }
        let computation = Task.detached(priority: .utility) { [file, hasHeader] in
            try HashCache.shared.hashes(of: file, hasHeader: hasHeader)
        }
        self.computation = computation
        return computation
    }

    /// Nil where the file cannot be read any more.
    func hashes() async -> FileHashes? { try? await started().value }

    /// AUTOMATIC1111's "Model hash"; nil where the file cannot be read any more.
    func shortHash() async -> String? { await hashes()?.shortHash }
}
