import Checkpoints
import Foundation

/// The models that are on this machine: in Easel's own folder, in the hub's cache, and in the folders of other programs.
public struct ModelStore: Sendable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        case model, lora, embedding, vae
    }

    /// Something that is there.
    public struct Entry: Sendable, Hashable, Codable {
        /// How it is called where a model is named.
        public let name: String
        public let kind: Kind
        public let path: String
        public let byteCount: Int
        /// `own`, `hub`, or the folder of another program.
        public let place: String
    }

    private let environment: HubEnvironment
    private let folders: [URL]

    /// The folders of AUTOMATIC1111's and ComfyUI's programs, and what is in them.
    private static let layouts: [(folder: String, kind: Kind)] = [
        ("Stable-diffusion", .model), ("checkpoints", .model), ("diffusers", .model), ("Lora", .lora),
        ("LyCORIS", .lora), ("loras", .lora), ("VAE", .vae), ("vae", .vae), ("VAE-taesd", .vae),
        ("vae_approx", .vae), ("embeddings", .embedding),
    ]
    /// What every model's folder has.
    static let index = "model_index.json"
    private static let endings: Set<String> = ["safetensors", "ckpt", "gguf", "pt", "pth", "bin", "sft"]

    /// - Parameter folders: Folders of models: AUTOMATIC1111's or ComfyUI's, their `models`, or any with files of models.
    public init(_ environment: HubEnvironment = HubEnvironment(), folders: [URL] = []) {
        self.environment = environment
        self.folders = folders
    }

    /// All of them, by place and name.
    public var entries: [Entry] { entries { _ in true } }

    /// Those of some names; no other files are opened.
    private func entries(where isWanted: (String) -> Bool) -> [Entry] {
        (own + hub).filter { isWanted($0.name) }.map(\.entry)
            + folders.flatMap { folder in
                candidates(in: folder).filter { isWanted($0.name) }.map(\.entry).sorted {
                    ($0.kind.rawValue, $0.name) < ($1.kind.rawValue, $1.name)
                }
            }
    }

    /// Where a model of a name is; a repository's name is that of its one file, too.
    ///
    /// - Throws: ``HubError/unknownModel(_:nearest:)``.
    public func model(named name: String) throws(HubError) -> URL {
        let models = entries { $0 == name || Self.isFile($0, of: name) }.filter { $0.kind == .model }
        if let found = models.first(where: { $0.name == name }) ?? Self.loneFile(of: name, in: models) {
            return URL(filePath: found.path)
        }
        if let reference = RepositoryReference(name) {
            let cache = HubCache(at: environment.cache)
            if let commit = cache.commit(of: reference),
                cache.file(Self.index, commit: commit, of: reference.id) != nil
            {
                return cache.snapshot(commit, of: reference.id)
            }
        }
        let lowered = name.lowercased()
        let nearest = entries {
            $0.lowercased().contains(lowered) || lowered.contains($0.lowercased())
        }.filter { $0.kind == .model }.map(\.name)
        throw .unknownModel(name, nearest: Array(nearest.prefix(3)))
    }

    /// A file or folder of a kind and a name, in full or without the folders that it is in, or by the repository that it is
    /// the one file of; nil where there is none.
    public func file(named name: String, kind: Kind) -> URL? {
        func isLast(_ full: String) -> Bool { full.split(separator: "/").last.map(String.init) == name }
        let all = entries { $0 == name || isLast($0) || Self.isFile($0, of: name) }.filter { $0.kind == kind }
        let found =
            all.first { $0.name == name } ?? all.first { isLast($0.name) }
            ?? Self.loneFile(of: name, in: all)
        return found.map { URL(filePath: $0.path) }
    }

    /// The one file that the cache has of a repository, by the repository's name.
    private static func loneFile(of repository: String, in entries: [Entry]) -> Entry? {
        let files = entries.filter { $0.place == "hub" && isFile($0.name, of: repository) }
        return files.count == 1 ? files[0] : nil
    }

    private static func isFile(_ name: String, of repository: String) -> Bool {
        name.hasPrefix(repository + ":")
    }

    /// The folders of other programs that have files of a kind.
    public func folders(of kind: Kind) -> [URL] {
        folders.flatMap { root in
            [root, root.appending(path: "models")].flatMap { base in
                Self.layouts.filter { $0.kind == kind }.map { base.appending(path: $0.folder) }
            }
        }.filter { !Self.contents($0).isEmpty }
    }

    /// Removes what Easel's folder or the hub's cache has of a name; of the latter, files that other revisions have stay.
    ///
    /// - Returns: What was removed.
    /// - Throws: ``HubError/notRemovable(_:path:nearest:)`` where there is none, or it is another program's.
    public func remove(_ name: String) throws(HubError) -> [Entry] {
        let found = (own + hub).filter { $0.name == name }
        guard let first = found.first else {
            // What came of a repository before a pull was interrupted.
            let cache = HubCache(at: environment.cache)
            if let id = RepositoryReference(name)?.id, id == name, try cache.removeRepository(id) {
                return []
            }
            let other = folders.lazy.flatMap { candidates(in: $0) }.first { $0.name == name }
            throw .notRemovable(
                name, path: other?.url.path,
                nearest: (own + hub).map(\.name).filter { !name.isEmpty && $0.contains(name) })
        }
        let (entry, target) = (first.entry, first.url)
        if first.place == "hub" {
            try HubCache(at: environment.cache).remove(target)
        } else {
            try HubCache.writing(target) { try FileManager.default.removeItem(at: target) }
        }
        return [entry]
    }

    /// A file of weights or a diffusers folder, by its name alone.
    private struct Candidate {
        let name: String
        let url: URL
        /// Nil where the tensors' names tell.
        let kind: Kind?
        let place: String

        /// Reads what the name does not say.
        var entry: Entry {
            Entry(
                name: name, kind: kind ?? ModelStore.kind(of: url), path: url.path,
                byteCount: ModelStore.size(url),
                place: place)
        }
    }

    private var own: [Candidate] {
        Self.contents(environment.ownFolder).compactMap {
            Self.candidate($0, .model, place: "own", below: nil)
        }
    }

    /// Whole models of the cache, and single files of its repositories.
    private var hub: [Candidate] {
        let cache = HubCache(at: environment.cache)
        return Self.contents(environment.cache).flatMap { folder -> [Candidate] in
            let parts = folder.lastPathComponent.components(separatedBy: "--")
            guard parts.count >= 2, parts[0] == "models" else { return [] }
            let id = parts.dropFirst().joined(separator: "/")
            var references = Self.names(below: folder.appending(path: "refs")).compactMap {
                RepositoryReference(id: id, revision: $0)
            }
            // A commit that was pulled by its hash has no other name.
            let known = Set(references.compactMap { cache.commit(of: $0) })
            references += Self.contents(folder.appending(path: "snapshots")).map(\.lastPathComponent)
                .filter { !known.contains($0) }.compactMap { RepositoryReference(id: id, revision: $0) }
            return references.flatMap { candidates(of: $0, cache) }
        }
    }

    private func candidates(of reference: RepositoryReference, _ cache: HubCache) -> [Candidate] {
        guard let commit = cache.commit(of: reference) else { return [] }
        let snapshot = cache.snapshot(commit, of: reference.id)
        if FileManager.default.fileExists(atPath: snapshot.appending(path: Self.index).path) {
            return [Candidate(name: reference.description, url: snapshot, kind: .model, place: "hub")]
        }
        // A component of a model is none, nor is a part of its weights.
        func isComponent(_ file: URL) -> Bool {
            let config = file.deletingLastPathComponent().appending(path: "config.json").path
            return FileManager.default.fileExists(atPath: config)
                || file.lastPathComponent.contains(/-[0-9]{5}-of-[0-9]{5}\./)
        }
        return Self.files(below: snapshot).filter { !isComponent($0) }.map { file in
            Candidate(
                name: "\(reference):\(file.path.dropFirst(snapshot.path.count + 1))", url: file, kind: nil,
                place: "hub")
        }
    }

    private func candidates(in root: URL) -> [Candidate] {
        let bases = [root, root.appending(path: "models")]
        var found: [Candidate] = []
        for base in bases {
            for (folder, kind) in Self.layouts {
                let place = base.appending(path: folder)
                for file in Self.files(below: place) {
                    if let candidate = Self.candidate(file, kind, place: root.path, below: place) {
                        found.append(candidate)
                    }
                }
            }
        }
        if found.isEmpty {
            found = Self.contents(root).compactMap {
                Self.candidate($0, .model, place: root.path, below: nil)
            }
        }
        var paths: Set<String> = []
        return found.filter { paths.insert($0.url.path).inserted }
    }

    /// - Returns: Nil for what is neither a file of weights nor a diffusers folder.
    private static func candidate(_ url: URL, _ kind: Kind, place: String, below root: URL?) -> Candidate? {
        let isModelFolder = FileManager.default.fileExists(
            atPath: url.appending(path: Self.index).path)
        guard isModelFolder || endings.contains(url.pathExtension) else { return nil }
        let stem = isModelFolder ? url : url.deletingPathExtension()
        let name = root.map { String(stem.path.dropFirst($0.path.count + 1)) } ?? stem.lastPathComponent
        // A folder of anything does not say what its files are.
        return Candidate(name: name, url: url, kind: root == nil && !isModelFolder ? nil : kind, place: place)
    }

    /// What a file is by its tensors' names: an adapter, or what is taken for a model.
    private static func kind(of file: URL) -> Kind {
        let checkpoint = try? Checkpoint(contentsOf: file)
        return checkpoint.flatMap { AdapterSummary($0) } == nil ? .model : .lora
    }

    private static func contents(_ folder: URL) -> [URL] {
        folder.folderContents.filter {
            !$0.lastPathComponent.hasPrefix(".") && $0.pathExtension != "incomplete"
        }
    }

    /// Files of weights, and diffusers folders, whose files are not looked at.
    private static func files(below folder: URL) -> [URL] {
        folder.filesBelow { FileManager.default.fileExists(atPath: $0.appending(path: Self.index).path) }
            .filter { endings.contains($0.pathExtension) || $0.isFolder }
    }

    private static func names(below folder: URL) -> [String] {
        folder.filesBelow().map { String($0.path.dropFirst(folder.path.count + 1)) }
    }

    /// Of a file, or of all files in a folder, links followed.
    private static func size(_ url: URL) -> Int {
        (url.isFolder ? url.filesBelow() : [url]).reduce(0) { sum, file in
            let path = file.resolvingSymlinksInPath().path
            return sum + ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? 0)
        }
    }
}
