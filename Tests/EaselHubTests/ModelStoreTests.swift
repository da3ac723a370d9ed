import EaselHub
import Foundation
import Testing

@Suite("The models on this machine") struct ModelStoreTests {
    private let tiny: TinyHub
    private let folder: URL

    init() throws {
        tiny = try TinyHub()
        folder = tiny.folder
    }

    private func put(_ path: String, count: Int = 10) throws {
        let file = folder.appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(repeating: 7, count: count).write(to: file)
    }

    @Test func allPlacesAreLookedAt() async throws {
        let hub = tiny.hub()
        _ = try await hub.pull(TinyHub.reference)
        try put("own/fast.safetensors")
        try put("own/slow.safetensors.incomplete")
        try put("own/notes.txt")
        try put("own/folder/model_index.json")
        try put("webui/models/Stable-diffusion/anime/one.ckpt")
        try put("webui/models/Lora/soft.safetensors")
        try put("webui/embeddings/style.pt")
        try put("comfy/models/checkpoints/two.safetensors")
        try put("comfy/models/vae/clear.safetensors")
        try put("plain/three.gguf")
        let store = ModelStore(
            hub.environment,
            folders: ["webui", "comfy", "plain"].map { folder.appending(path: $0) })
        let entries = store.entries
        #expect(
            entries.map { "\($0.kind.rawValue) \($0.name)" } == [
                "model fast", "model folder", "model someone/tiny", "embedding style", "lora soft",
                "model anime/one",
                "model two", "vae clear", "model three",
            ])
        #expect(entries[2].byteCount > 400_000 && entries[2].place == "hub" && entries[0].place == "own")
        #expect(try store.model(named: "fast").lastPathComponent == "fast.safetensors")
        #expect(try store.model(named: "anime/one").lastPathComponent == "one.ckpt")
        #expect(try store.model(named: TinyHub.id).lastPathComponent == TinyHub.commit)
        #expect(try store.model(named: "\(TinyHub.id)@\(TinyHub.commit)").lastPathComponent == TinyHub.commit)
        let error = #expect(throws: HubError.self) { try store.model(named: "fas") }
        #expect(error == .unknownModel("fas", nearest: ["fast"]))
        #expect("\(HubError.unknownModel("a/b", nearest: []))".contains("easel pull a/b"))
    }

    /// Models are often on another disk; links may lead back to where they are.
    @Test func linksAreFollowed() throws {
        let files = FileManager.default
        try put("disk/anime/one.ckpt")
        try put("disk/inks/soft.safetensors")
        let models = folder.appending(path: "webui/models")
        try files.createDirectory(at: models, withIntermediateDirectories: true)
        func link(_ place: String, to target: String) throws {
            try files.createSymbolicLink(
                at: folder.appending(path: place), withDestinationURL: folder.appending(path: target))
        }
        try link("webui/models/Stable-diffusion", to: "disk/anime")
        try link("disk/anime/again", to: "disk/anime")
        try link("webui/models/Lora", to: "disk/inks")
        try link("disk/inks/up", to: "disk")
        try link("root", to: "webui")
        for name in ["webui", "root"] {
            let store = ModelStore(tiny.hub().environment, folders: [folder.appending(path: name)])
            let found = store.entries.map { "\($0.kind.rawValue) \($0.name) \($0.byteCount)" }
            #expect(found == ["lora soft 10", "lora up/anime/one 10", "model one 10"])
        }
    }

    @Test func whatGoesWithAModelHasANameToo() throws {
        try put("webui/models/Lora/styles/soft.safetensors")
        try put("webui/embeddings/bad.pt")
        try put("webui/models/VAE/clear.ckpt")
        let root = folder.appending(path: "webui")
        let store = ModelStore(tiny.hub().environment, folders: [root])
        for name in ["soft", "styles/soft"] {
            #expect(store.file(named: name, kind: .lora)?.lastPathComponent == "soft.safetensors")
        }
        #expect(store.file(named: "clear", kind: .vae)?.lastPathComponent == "clear.ckpt")
        #expect(store.file(named: "soft", kind: .embedding) == nil)
        #expect(store.folders(of: .lora).map(\.lastPathComponent) == ["Lora"])
        #expect(store.folders(of: .embedding).map(\.path) == [root.appending(path: "embeddings").path])
    }

    /// What a name leads to is what the list has of it.
    @Test func namesLeadWhereTheListDoes() async throws {
        let hub = tiny.hub()
        _ = try await hub.pull(TinyHub.reference)
        try put("own/fast.safetensors")
        try put("webui/models/Lora/z/soft.safetensors")
        try put("webui/models/LyCORIS/a/soft.safetensors")
        try put("webui/models/VAE/soft.safetensors")
        try put("webui/loose.safetensors")
        try put("plain/loose.safetensors")
        func store(_ names: String...) -> ModelStore {
            ModelStore(hub.environment, folders: names.map { folder.appending(path: $0) })
        }
        let both = store("webui", "plain")
        for entry in both.entries {
            #expect(both.file(named: entry.name, kind: entry.kind)?.path == entry.path, "\(entry.name)")
            if entry.kind == .model { #expect(try both.model(named: entry.name).path == entry.path) }
        }
        #expect(both.file(named: "soft", kind: .lora)?.path.hasSuffix("LyCORIS/a/soft.safetensors") == true)
        // Of a folder with other programs' folders, these count alone.
        #expect(store("webui").file(named: "loose", kind: .model) == nil)
    }

    /// A folder of one's own has files of any kind.
    @Test func adaptersAreToldByTheirTensors() throws {
        let entry = "{\"dtype\":\"F32\",\"shape\":[0,1],\"data_offsets\":[0,0]}"
        let header = "{\"lora_unet_a.lora_down.weight\":\(entry)}"
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
        try put("own/fast.safetensors")
        try (length + Data(header.utf8)).write(to: folder.appending(path: "own/ink.safetensors"))
        let store = ModelStore(tiny.hub().environment)
        #expect(store.entries.map { "\($0.kind.rawValue) \($0.name)" } == ["model fast", "lora ink"])
        #expect(store.file(named: "ink", kind: .lora)?.lastPathComponent == "ink.safetensors")
        #expect(throws: HubError.self) { try store.model(named: "ink") }
    }

    @Test func onlyWhatIsNamedIsRemoved() async throws {
        let hub = tiny.hub()
        let commit = try #require(RepositoryReference("\(TinyHub.id)@\(TinyHub.commit)"))
        // By its hash alone, a commit is a name too.
        _ = try await hub.pull(commit)
        let store = ModelStore(hub.environment)
        #expect(store.entries.map(\.name) == [commit.description])
        _ = try await hub.pull(TinyHub.reference)
        #expect(store.entries.map(\.name) == [TinyHub.id])
        // Another revision has a file in common.
        let repository = hub.environment.cache.appending(path: "models--someone--tiny")
        let other = String(repeating: "a", count: 40)
        let shared = "../../../blobs/\(TinyHub.etag("vae/config.json"))"
        let place = repository.appending(path: "snapshots/\(other)/vae")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: place.appending(path: "small.ckpt").path, withDestinationPath: shared)
        let name = "\(TinyHub.id)@\(other):vae/small.ckpt"
        #expect(store.entries.map(\.name) == [TinyHub.id, name])
        #expect(try store.remove(TinyHub.id).map(\.name) == [TinyHub.id])
        #expect(store.entries.map(\.name) == [name])
        let blobs = repository.appending(path: "blobs").path
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: blobs)
                == [TinyHub.etag("vae/config.json")])
        #expect(!FileManager.default.fileExists(atPath: repository.appending(path: "refs/main").path))
        _ = try store.remove(name)
        #expect(store.entries.isEmpty && !FileManager.default.fileExists(atPath: repository.path))
    }

    @Test func filesOfRepositoriesAndRemoval() async throws {
        let hub = tiny.hub()
        _ = try await hub.pull(TinyHub.reference, files: ["v1.ckpt"])
        try put("own/fast.safetensors")
        let store = ModelStore(hub.environment)
        #expect(store.entries.map(\.name) == ["fast", "someone/tiny:v1.ckpt"])
        #expect(try store.model(named: "someone/tiny:v1.ckpt").lastPathComponent == "v1.ckpt")
        #expect(try store.remove("someone/tiny:v1.ckpt").count == 1)
        #expect(store.entries.map(\.name) == ["fast"])
        #expect(try store.remove("fast").count == 1)
        #expect(store.entries.isEmpty)
        let nothing = #expect(throws: HubError.self) { try store.remove("fast") }
        #expect(nothing == .notRemovable("fast", path: nil, nearest: []))
        #expect(!"\(HubError.unknownModel("../m/sd1", nearest: []))".contains("easel pull"))
        // What another program has is not removed.
        try put("plain/three.gguf")
        let other = ModelStore(hub.environment, folders: [folder.appending(path: "plain")])
        let error = #expect(throws: HubError.self) { try other.remove("three") }
        let path = folder.appending(path: "plain/three.gguf").path
        #expect(error == .notRemovable("three", path: path, nearest: []))
        #expect("\(try #require(error))".contains("another program"))
        #expect(other.entries.count == 1)
    }

    @Test func theEnvironmentIsHuggingFaces() throws {
        let home = HubEnvironment(["HOME": "/h"])
        #expect(home.cache.path == "/h/.cache/huggingface/hub" && home.endpoint.host == "huggingface.co")
        #expect(home.token == nil && !home.isOffline && home.ownFolder.path == "/h/.local/share/easel/models")
        #expect(HubEnvironment(["HOME": "/h", "XDG_CACHE_HOME": "/c"]).cache.path == "/c/huggingface/hub")
        #expect(HubEnvironment(["HF_HOME": "/hf"]).cache.path == "/hf/hub")
        #expect(HubEnvironment(["HF_HOME": "/hf", "HUGGINGFACE_HUB_CACHE": "/old"]).cache.path == "/old")
        #expect(
            HubEnvironment(["HF_HUB_CACHE": "/new", "HUGGINGFACE_HUB_CACHE": "/old"]).cache.path == "/new")
        for word in ["1", "on", "Yes", "TRUE"] { #expect(HubEnvironment(["HF_HUB_OFFLINE": word]).isOffline) }
        #expect(!HubEnvironment(["HF_HUB_OFFLINE": "0"]).isOffline)
        #expect(HubEnvironment(["HF_TOKEN": " a\n"]).token == "a")
        try put("token")
        try Data("kept\n".utf8).write(to: folder.appending(path: "token"))
        #expect(HubEnvironment(["HF_HOME": folder.path]).token == "kept")
        #expect(HubEnvironment(["HF_HOME": folder.path, "HF_TOKEN": "other"]).token == "other")
        // An empty one is none, and none may be wanted.
        #expect(HubEnvironment(["HF_HOME": folder.path, "HF_TOKEN": " "]).token == "kept")
        #expect(HubEnvironment(["HUGGING_FACE_HUB_TOKEN": "old", "HF_TOKEN": ""]).token == "old")
        #expect(HubEnvironment(["HF_TOKEN": "a", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"]).token == nil)
        #expect(HubEnvironment(["EASEL_MODELS": "/m"]).ownFolder.path == "/m")
    }
}
