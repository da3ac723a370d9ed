import Checkpoints
import Conditioning
import Foundation
import Sampling

/// A LoRA, or another small file that changes a model (LoCon, LoHa, LoKr, DoRA), and how strongly it does.
public struct LoRA: Sendable, Hashable, Codable {
    /// Its file.
    public var path: String
    /// How strongly the U-Net is changed: 1 as it was trained, 0 not at all, below 0 the other way.
    public var weight: Float
    /// How strongly the text encoders are changed; nil is as the U-Net.
    public var textEncoderWeight: Float?
    /// How many of the ranks of its matrices are used at most, the first ones, from 1; nil for all. LoRA has ranks, of
    /// convolutions too; LoHa, LoKr and what has a core between its matrices are used whole.
    public var rankLimit: Int?

    public init(path: String, weight: Float = 1, textEncoderWeight: Float? = nil, rankLimit: Int? = nil) {
        self.path = path
        self.weight = weight
        self.textEncoderWeight = textEncoderWeight
        self.rankLimit = rankLimit
    }

    /// Reads `FILE`, `FILE:weight` or `FILE:weight:te-weight`.
    ///
    /// - Returns: Nil where a weight is not a number.
    public init?(_ text: String) {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)[...]
        var weights: [Float] = []
        // A path may have colons itself, so that weights are taken from the end.
        while weights.count < 2, parts.count > 1, let weight = Float(parts[parts.endIndex - 1]) {
            weights.insert(weight, at: 0)
            parts.removeLast()
        }
        guard weights.allSatisfy(\.isFinite), let last = parts.last, !last.isEmpty || parts.count == 1 else {
            return nil
        }
        self.init(
            path: parts.joined(separator: ":"), weight: weights.first ?? 1,
            textEncoderWeight: weights.count > 1 ? weights[1] : nil)
    }
}

extension LoRA {
    /// The endings of the files that are looked at for a name.
    private static let endings = ["safetensors", "sft", "pt", "pth", "ckpt", "bin", "gguf"]

    /// The LoRA that a prompt names by its file's name, or else by the one that its trainer gave it.
    ///
    /// - Parameter folders: Where files are looked for, in all folders below too.
    /// - Throws: ``LoRAError``.
    init(_ named: ExtraNetworks.LoRA, in folders: [URL]) throws(LoRAError) {
        var (names, others): ([String], [URL]) = ([], [])
        for folder in folders {
            for file in folder.filesBelow() where Self.endings.contains(file.pathExtension) {
                let name = file.deletingPathExtension().lastPathComponent
                if name == named.name {
                    self.init(named, file: file)
                    return
                }
                names.append(name)
                others.append(file)
            }
        }
        for file in others {
            guard let alias = Self.alias(of: file) else { continue }
            if alias == named.name {
                self.init(named, file: file)
                return
            }
            names.append(alias)
        }
        throw LoRAError(
            name: named.name, folders: folders.map(\.path),
            nearest: nearestNames(to: named.name, among: names))
    }
}

extension LoRA {
    private init(_ named: ExtraNetworks.LoRA, file: URL) {
        self.init(
            path: file.path, weight: named.weight, textEncoderWeight: named.textEncoderWeight,
            rankLimit: named.rankLimit)
    }

    /// What kohya's trainer wrote of the name that the LoRA was to have.
    private static func alias(of file: URL) -> String? {
        try? SafetensorsHeader(contentsOf: file).metadata["ss_output_name"]
    }
}

/// A prompt names a LoRA that there is no file of.
public struct LoRAError: Error, Sendable, Hashable, CustomStringConvertible {
    public let name: String
    public let folders: [String]
    public let nearest: [String]

    public var description: String {
        if folders.isEmpty {
            return
                "the prompt names a LoRA, \(name), but there is no folder to find it in: name one with --lora-dir"
        }
        return "there is no LoRA named \(name) in \(folders.joined(separator: ", "))"
            + (nearest.isEmpty ? "" : "; nearest: " + nearest.joined(separator: ", "))
    }
}
