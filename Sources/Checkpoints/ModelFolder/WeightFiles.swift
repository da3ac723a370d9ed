import Foundation

/// The weight files in a component's folder, and which of them to read.
package struct WeightFiles {
    /// How diffusers and transformers name a component's weights in a format.
    private struct Naming {
        let stems: [String]
        let ending: String

        /// The names of a file, and of the index of several.
        func names(_ variant: String?) -> [String] {
            stems.flatMap { stem in
                guard let variant else { return ["\(stem).\(ending)", "\(stem).\(ending).index.json"] }
                return [
                    "\(stem).\(variant).\(ending)", "\(stem).\(ending).index.\(variant).json",
                    "\(stem).\(variant).\(ending).index.json",
                ]
            }
        }

        /// The variant that an index is of; nil for none.
        func indexVariant(of name: String) -> String? {
            for stem in stems where name.hasPrefix("\(stem).") {
                let middle = name.dropFirst(stem.count + 1).dropLast(".json".count)
                for part in middle.split(separator: ".") where part != "index" && part != ending {
                    return String(part)
                }
            }
            return nil
        }

        /// The variant that one of several files is of, `stem-00001-of-00002.ending` or with it behind the stem or the
        /// number; nil for other files.
        func shardVariant(of name: String) -> String?? {
            for stem in stems
            where name.hasPrefix(stem) && name.hasSuffix(".\(ending)") && name.contains("-of-") {
                let middle = name.dropFirst(stem.count).dropLast(ending.count + 1)
                let words = middle.split(whereSeparator: { $0 == "." || $0 == "-" })
                return .some(words.first { $0 != "of" && !$0.allSatisfy(\.isNumber) }.map(String.init))
            }
            return nil
        }

        /// The variant that a file is of; nil for other files.
        func variant(of name: String) -> String? {
            for stem in stems where name.hasPrefix(stem + ".") {
                let middle = name.dropFirst(stem.count + 1)
                for (prefix, suffix) in [
                    ("", ".\(ending)"), ("\(ending).index.", ".json"), ("", ".\(ending).index.json"),
                ] where middle.hasPrefix(prefix) && middle.hasSuffix(suffix) {
                    guard middle.count > prefix.count + suffix.count else { continue }
                    let variant = middle.dropFirst(prefix.count).dropLast(suffix.count)
                    // The files of a sharded variant have their number between: fp16-00001-of-00002.
                    if !variant.contains(where: { $0 == "-" || $0 == "." }) { return String(variant) }
                }
            }
            return nil
        }
    }

    private static let safetensors = Naming(
        stems: ["diffusion_pytorch_model", "model"], ending: "safetensors")
    private static let pickled = Naming(stems: ["diffusion_pytorch_model", "pytorch_model"], ending: "bin")
    /// The variants that are taken unasked, the first that is there, where there are no files without one.
    private static let commonVariants = ["fp16", "bf16"]

    private let folder: URL
    private let names: Set<String>

    /// The files of a component, of those that a folder has somewhere else: one, or an index and what it names.
    ///
    /// - Throws: ``ModelFolderError`` where there are none of the variant.
    package static func named(_ names: [String], in component: String, variant: String?)
        throws(ModelFolderError)
        -> [String]
    {
        let files = WeightFiles(folder: URL(filePath: component), names: Set(names))
        // A component that has no such variant is taken without.
        let chosen: URL
        do { chosen = try files.choose(variant) } catch {
            guard variant != nil else { throw error }
            chosen = try files.choose(nil)
        }
        let name = chosen.lastPathComponent
        guard name.hasSuffix(".json") else { return [name] }
        let naming = name.contains(".safetensors.") ? safetensors : pickled
        let own = naming.indexVariant(of: name)
        return [name] + names.filter { naming.shardVariant(of: $0) == .some(own) }.sorted()
    }

    /// The variants that a component's files are of.
    package static func variants(of names: [String]) -> Set<String> {
        Set(
            [safetensors, pickled].flatMap { naming in
                names.compactMap { naming.variant(of: $0) ?? naming.shardVariant(of: $0).flatMap { $0 } }
            })
    }

    private init(folder: URL, names: Set<String>) {
        self.folder = folder
        self.names = names
    }

    init(in folder: URL) {
        self.folder = folder
        names = Set((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    }

    /// The file, or the index of several, to read: safetensors where there are any.
    func choose(_ variant: String?) throws(ModelFolderError) -> URL {
        for naming in [Self.safetensors, Self.pickled] {
            if let name = try choose(variant, naming) { return folder.appending(path: name) }
        }
        throw .missingFile(
            component: folder.lastPathComponent, folder: folder.path,
            lookedFor: Self.safetensors.names(variant) + Self.pickled.names(variant))
    }

    private func choose(_ variant: String?, _ naming: Naming) throws(ModelFolderError) -> String? {
        func first(_ variant: String?) -> String? { naming.names(variant).first(where: names.contains) }
        if let found = first(variant) { return found }
        guard variant == nil else { return nil }
        let variants = Set(names.compactMap(naming.variant))
        if let common = Self.commonVariants.first(where: variants.contains) { return first(common) }
        if variants.count > 1 {
            throw .severalVariants(folder: folder.path, variants: variants.sorted())
        }
        return variants.first.flatMap(first)
    }
}

extension String {
    /// Whether a name from a file can only be that of something in the same folder.
    var isPlainFileName: Bool {
        !isEmpty && self != "." && self != ".."
            && !unicodeScalars.contains { $0 == "/" || $0 == "\\" } && !hasControlCharacter
    }
}
