import Conditioning
import Easel
import EaselHub
import Foundation

/// The models that there are by name, and the one that is open.
actor ModelShelf {
    /// Opens a model of a place, with another autoencoder where one is given.
    typealias Opening = @Sendable (_ model: URL, _ vae: URL?) async throws -> Model

    typealias Kind = ModelStore.Kind

    struct Entry: Sendable, Hashable {
        let name: String
        let location: URL
        let byteCount: Int
    }

    nonisolated let store: ModelStore
    nonisolated let facts = FileFacts()
    private let open: Opening
    /// The model that the server was started with.
    private let first: Entry
    private var opened: (key: [String], model: Model)?
    /// What opens one now.
    private var opening: Task<Model, any Error>?
    private var found: [Entry]?
    private var vaes: [Entry]?
    private var tokenizers: [String: CLIPTokenizer] = [:]
    /// What jobs are made with that name none.
    private(set) var current: String

    init(store: ModelStore, first: URL, open: @escaping Opening) {
        self.store = store
        self.open = open
        let isFolder = (try? first.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false
        let name = isFolder ? first.lastPathComponent : first.deletingPathExtension().lastPathComponent
        self.first = Entry(name: name, location: first, byteCount: 0)
        current = name
    }

    /// The first model, and all that the store has.
    var entries: [Entry] {
        if let found { return found }
        let others = entries(of: .model).filter {
            $0.location.standardizedFileURL != first.location.standardizedFileURL
        }
        let all = [first] + others.filter { $0.name != first.name }
        found = all
        return all
    }

    /// The autoencoders that can be taken in place of a model's own.
    var autoencoders: [Entry] {
        if let vaes { return vaes }
        let all = entries(of: .vae)
        vaes = all
        return all
    }

    /// The names of the files of a kind.
    nonisolated func names(of kind: ModelStore.Kind) -> [String] { entries(of: kind).map(\.name) }

    /// The hashes of a model's file, as far as they are known; nil for a folder. The file is not read.
    func hashes(ofModel name: String) -> FileHashes? {
        entries.first { $0.name == name }.flatMap { FileHashes.known(of: $0.location) }
    }

    /// The files of a kind.
    nonisolated func entries(of kind: ModelStore.Kind) -> [Entry] {
        store.entries.filter { $0.kind == kind }.map {
            Entry(name: $0.name, location: URL(filePath: $0.path), byteCount: $0.byteCount)
        }
    }

    /// Looks again what there is.
    func refresh() {
        found = nil
        vaes = nil
        // The one that was chosen may be gone.
        if !entries.contains(where: { $0.name == current }) { current = first.name }
        beginLooking()
    }

    /// The model of a name, or of a hash: AUTOMATIC1111's clients have both.
    ///
    /// - Throws: ``APIError`` for a name of none.
    func entry(named name: String?) throws -> Entry {
        let name = name ?? current
        let named = entries.first { $0.name == name }
        if let entry = named ?? entries.first(where: { Self.has($0, hash: name) }) { return entry }
        let nearest = entries.map(\.name).filter {
            $0.lowercased().contains(name.lowercased()) || name.lowercased().contains($0.lowercased())
        }
        throw APIError(
            .badRequest, "unknown_model",
            "there is no model \"\(name.prefix(200))\""
                + (nearest.isEmpty ? "" : "; nearest: \(nearest.prefix(3).joined(separator: ", "))"),
            field: "model")
    }

    /// Whether a model's file is known to have a hash.
    private static func has(_ entry: Entry, hash: String) -> Bool {
        guard let hashes = FileHashes.known(of: entry.location) else { return false }
        return [hashes.shortHash, hashes.sha256, hashes.legacyHash].contains(hash)
    }

    /// - Throws: ``APIError`` for a name of none.
    func autoencoder(named name: String) throws -> Entry {
        guard let found = autoencoders.first(where: { $0.name == name }) else {
            throw APIError.invalid("vae", "there is no autoencoder \"\(name.prefix(200))\"")
        }
        return found
    }

    /// Makes a model the one that jobs are made with that name none.
    func choose(_ name: String) throws { current = try entry(named: name).name }

    /// Opens a model; the one that was open before is let go.
    ///
    /// - Throws: ``APIError`` for a name of none; what opening throws.
    func model(named name: String?, vae: String? = nil) async throws -> Model {
        let entry = try entry(named: name)
        let key = [entry.name, vae ?? ""]
        // Never two at once, whose memory there may not be.
        await waitUntilOpened()
        if let opened, opened.key == key { return opened.model }
        let autoencoder = try vae.map { try self.autoencoder(named: $0).location }
        opened = nil
        let task = Task {
            defer { opening = nil }
            let model = try await open(entry.location, autoencoder)
            opened = (key, model)
            return model
        }
        opening = task
        let model = try await task.value
        // By the time that someone asks for its hash, it is known.
        Task.detached(priority: .utility) { _ = await model.fileHashes() }
        return model
    }

    /// Lets the open model go, and what it takes of memory.
    func close() async {
        await waitUntilOpened()
        opened = nil
    }

    private func waitUntilOpened() async {
        while let opening { _ = await opening.result }
    }

    /// The model of a name where it is the one that is open.
    func openModel(named name: String?, vae: String?) -> Model? {
        opened.flatMap { $0.key == [name ?? current, vae ?? ""] ? $0.model : nil }
    }

    /// The tokenizer of a model, to count tokens with.
    ///
    /// - Throws: ``APIError`` for a name of none; what reading its vocabulary throws.
    func tokenizer(ofModel name: String?) throws -> CLIPTokenizer {
        let entry = try entry(named: name)
        if let known = tokenizers[entry.name] { return known }
        let tokenizer = try CLIPTokenizer(ofModelAt: entry.location)
        tokenizers = [entry.name: tokenizer]
        return tokenizer
    }

    /// The settings that the current model is made for; nil where it is not open.
    var defaults: SamplingDefaults? { opened.flatMap { $0.key[0] == current ? $0.model.defaults : nil } }

    /// The size in pixels that a model was trained at; nil where its file does not say. Its weights are not read.
    func size(ofModel name: String) async -> (width: Int, height: Int)? {
        if let opened, opened.key[0] == name { return (opened.model.width, opened.model.height) }
        guard let entry = entries.first(where: { $0.name == name }) else { return nil }
        return await facts.size(of: entry.location).map { ($0.width, $0.height) }
    }

    /// Settings with what a job's speed depends on filled in, as far as it is known before the model is open.
    func completed(_ settings: JobSettings, model name: String) async -> JobSettings {
        var settings = settings
        if settings.width == nil || settings.height == nil, let size = await size(ofModel: name) {
            settings.width = settings.width ?? size.width
            settings.height = settings.height ?? size.height
        }
        if let opened, opened.key[0] == name {
            settings.steps = settings.steps ?? opened.model.defaults.steps
            settings.guidanceScale = settings.guidanceScale ?? opened.model.defaults.guidanceScale
            settings.sampler = settings.sampler ?? opened.model.defaults.sampler
        }
        return settings
    }

    /// Looks at all models' headers beside other work, so that who lists them does not wait.
    func beginLooking() {
        let locations = entries.map(\.location)
        Task.detached(priority: .utility) { [facts] in
            for location in locations { _ = await facts.size(of: location) }
        }
    }
}
