import Checkpoints
import Foundation
import TensorGraph

/// The names and shapes of a whole model in one file at its real size, without values: `Tests/Golden/family_sizes.py`.
struct FullSize {
    let file: NamesOnly
    /// diffusers' configurations of the networks.
    let unet: Configuration
    let vae: Configuration
    let texts: [Configuration]

    init(_ name: String) throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Golden/families/full-\(name).json")
        let document = try Configuration(contentsOf: url)
        let shapes = try JSONDecoder().decode(Tensors.self, from: Data(contentsOf: url)).tensors
        file = NamesOnly(shapes.mapValues { WeightEntry(shape: Shape($0), elementType: .float16) })
        unet = try document.object("unet")!
        vae = try document.object("vae")!
        texts = document.value("text")!.arrayValue!.map { Configuration($0.objectValue!, path: name) }
    }

    private struct Tensors: Decodable {
        let tensors: [String: [Int]]
    }
}

/// Weights that have no values.
struct NamesOnly: WeightStorage {
    let entries: [String: WeightEntry]
    var origin: String { "names" }
    var names: [String] { Array(entries.keys) }

    init(_ entries: [String: WeightEntry]) { self.entries = entries }
    func entry(named name: String) -> WeightEntry? { entries[name] }
    func map(_ names: Set<String>, additionalBytes: Int) throws -> MappedWeights {
        throw FileError.missing(path: origin)
    }
}
