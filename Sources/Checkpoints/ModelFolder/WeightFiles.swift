import Foundation

/// The weight files in a component's folder, and which of them to read.
struct WeightFiles {
    /// How diffusers and transformers name a component's weights.
    private static let stems = ["diffusion_pytorch_model", "model"]
    /// The variants that are taken unasked, the first that is there, where there are no files without one.
    private static let commonVariants = ["fp16", "bf16"]

    private let folder: URL
    private let names: Set<String>

    init(in folder: URL) {
        self.folder = folder
        names = Set((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    }

    /// The file, or the index of several, to read.
    func choose(_ variant: String?) throws(ModelFolderError) -> URL {
        if let variant { return try existing(Self.candidates(variant)) }
        if let name = Self.candidates(nil).first(where: names.contains) {
            return folder.appending(path: name)
        }
        let variants = variants
        if let common = Self.commonVariants.first(where: variants.contains) {
            return try existing(Self.candidates(common))
        }
        if variants.count > 1 {
            throw .severalVariants(folder: folder.path, variants: variants.sorted())
        }
        return try existing(variants.first.map(Self.candidates) ?? Self.candidates(nil))
    }

    private func existing(_ candidates: [String]) throws(ModelFolderError) -> URL {
        if let name = candidates.first(where: names.contains) { return folder.appending(path: name) }
        if let pickled = names.sorted().first(where: Self.isPickled) {
            throw .pickledWeights(path: folder.appending(path: pickled).path)
        }
        throw .missingFile(
            component: folder.lastPathComponent, folder: folder.path, lookedFor: candidates)
    }

    /// The variants that there are files of.
    private var variants: Set<String> {
        var variants: Set<String> = []
        for name in names {
            for stem in Self.stems where name.hasPrefix(stem + ".") {
                let middle = name.dropFirst(stem.count + 1)
                for (prefix, suffix) in [
                    ("", ".safetensors"), ("safetensors.index.", ".json"), ("", ".safetensors.index.json"),
                ] where middle.hasPrefix(prefix) && middle.hasSuffix(suffix) {
                    guard middle.count > prefix.count + suffix.count else { continue }
                    let variant = middle.dropFirst(prefix.count).dropLast(suffix.count)
                    // The files of a sharded variant have their number between: fp16-00001-of-00002.
                    if !variant.contains(where: { $0 == "-" || $0 == "." }) {
                        variants.insert(String(variant))
                    }
                }
            }
        }
        return variants
    }

    private static func candidates(_ variant: String?) -> [String] {
        stems.flatMap { stem in
            if let variant {
                [
                    "\(stem).\(variant).safetensors", "\(stem).safetensors.index.\(variant).json",
                    "\(stem).\(variant).safetensors.index.json",
                ]
            } else {
                ["\(stem).safetensors", "\(stem).safetensors.index.json"]
            }
        }
    }

    private static func isPickled(_ name: String) -> Bool {
        [".bin", ".bin.index.json", ".ckpt", ".pt", ".pth"].contains(where: name.hasSuffix)
    }
}

extension String {
    /// Whether a name from a file can only be that of something in the same folder.
    var isPlainFileName: Bool {
        !isEmpty && self != "." && self != ".."
            && !unicodeScalars.contains {
                $0 == "/" || $0 == "\\" || $0.properties.generalCategory == .control
            }
    }
}
