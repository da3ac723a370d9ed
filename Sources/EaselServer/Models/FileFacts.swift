import Checkpoints
import Easel
import Foundation

/// What the files of models, LoRAs and embeddings say of themselves: their headers are read once, for as long as the files
/// are as they were.
actor FileFacts {
    /// A file as it was when it was looked at.
    private struct Stamp: Hashable {
        let path: String
        let byteCount: Int
        let modified: Date

        /// - Returns: Nil where there is no such file.
        init?(_ file: URL) {
            let file = file.resolvingSymlinksInPath()
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: file.path),
                let modified = attributes[.modificationDate] as? Date
            else { return nil }
            path = file.path
            byteCount = attributes[.size] as? Int ?? 0
            self.modified = modified
        }
    }

    /// The vectors of an embedding's word.
    struct Vectors: Sendable, Hashable {
        let count: Int
        /// Of each, for all text encoders.
        let width: Int
    }

    /// In pixels.
    struct Size: Sendable, Hashable {
        let width: Int
        let height: Int
    }

    private var sizes: [Stamp: Size?] = [:]
    private var notes: [Stamp: [String: String]] = [:]
    private var vectors: [Stamp: Vectors?] = [:]
    private static let limit = 4096

    /// The size that a model was trained at; nil where it cannot be read.
    func size(of model: URL) -> Size? {
        Self.kept(&sizes, model) { model in
            (try? Model.trainedSize(at: model)).map { Size(width: $0.width, height: $0.height) }
        } ?? nil
    }

    /// The notes in a file's header; none where it cannot be read.
    func notes(of file: URL) -> [String: String] {
        Self.kept(&notes, file) { (try? Checkpoint(contentsOf: $0))?.metadata ?? [:] } ?? [:]
    }

    /// The vectors in an embedding's file; nil where it cannot be read.
    func vectors(of file: URL) -> Vectors? {
        Self.kept(&vectors, file) { file in
            (try? TextualInversion(contentsOf: file)).map {
                Vectors(count: $0.count, width: $0.widths.reduce(0, +))
            }
        } ?? nil
    }

    private static func kept<Value>(
        _ known: inout [Stamp: Value], _ file: URL, _ read: (URL) -> Value
    ) -> Value? {
        guard let stamp = Stamp(file) else { return nil }
        if let value = known[stamp] { return value }
        let value = read(file)
        // Files that are gone or were changed are forgotten with the others.
        if known.count >= limit { known = [:] }
        known[stamp] = value
        return value
    }
}
