import Foundation
import Synchronization

/// How products are divided on a device, as was measured, kept from one run to the next.
final class ProductChoices: Sendable {
    private struct Entry: Codable {
        let shape: ProductShape
        let choice: ProductChoice

        /// Whether shaders are made for what the file says, which someone may have changed.
        var isUsable: Bool {
            (ProductTile.all + ProductTile.attention).contains(choice.tile) && (1...16).contains(choice.parts)
        }
    }

    private let file: URL?
    private let known: Mutex<[ProductShape: ProductChoice]>

    /// - Parameter file: Where they are kept; nil keeps them for as long as the process runs.
    init(file: URL?) {
        self.file = file
        known = Mutex(file.map(Self.read) ?? [:])
    }

    subscript(shape: ProductShape) -> ProductChoice? { known.withLock { $0[shape] } }

    /// What cannot be written is not kept: it costs time, nothing else.
    func keep(_ choices: [ProductShape: ProductChoice]) {
        // Another process may have added to the file.
        let stored = file.map(Self.read) ?? [:]
        let all = known.withLock { known in
            known = stored.merging(known) { $1 }.merging(choices) { $1 }
            return known
        }
        guard let file else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try? FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try? encoder.encode(all.map { Entry(shape: $0, choice: $1) }).write(to: file, options: .atomic)
    }

    private static func read(_ file: URL) -> [ProductShape: ProductChoice] {
        let entries = (try? JSONDecoder().decode([Entry].self, from: Data(contentsOf: file))) ?? []
        return Dictionary(entries.filter { $0.isUsable }.map { ($0.shape, $0.choice) }) { $1 }
    }
}
