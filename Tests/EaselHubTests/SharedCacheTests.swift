import EaselHub
import Foundation
import Testing

/// The cache as other programs have it, and with them at once.
@Suite struct SharedCacheTests {
    private let tiny: TinyHub
    private var root: URL { tiny.folder.appending(path: "hub") }

    init() throws { tiny = try TinyHub() }

    /// Links with what they lead to, references with their commit, and other files with their size.
    private func tree() throws -> [String: String] {
        var found: [String: String] = [:]
        for case let name as String in FileManager.default.enumerator(atPath: root.path) ?? .init() {
            let path = root.appending(path: name).path
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            let type = attributes[.type] as? FileAttributeType
            guard !name.hasPrefix(".locks"), type != .typeDirectory else { continue }
            if type == .typeSymbolicLink {
                found[name] = try FileManager.default.destinationOfSymbolicLink(atPath: path)
            } else if name.contains("/refs/") {
                found[name] = try String(contentsOfFile: path, encoding: .utf8)
            } else {
                found[name] = "\(attributes[.size] as? Int ?? 0) bytes"
            }
        }
        return found
    }

    /// What huggingface_hub makes of the same repository: `Tests/Golden/hub.py`.
    @Test func theCacheIsHuggingFaces() async throws {
        let golden = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Golden/hub/cache.json")
        let document = try JSONSerialization.jsonObject(with: Data(contentsOf: golden))
        let wanted = try #require(document as? [String: Any]).mapValues { value in
            value as? String ?? "\(value) bytes"
        }
        _ = try await tiny.hub().pull(TinyHub.reference)
        // The text of the mark for back-ups is each program's own; a list of the repository's files saves Python a request.
        let own = try tree().filter { $0.key != "CACHEDIR.TAG" }
        #expect(own == wanted.filter { $0.key != "CACHEDIR.TAG" && !$0.key.contains("/trees/") })
        let mark = try String(contentsOf: root.appending(path: "CACHEDIR.TAG"), encoding: .utf8)
        #expect(mark.hasPrefix("Signature: 8a477f597d28d172789f06886806bc55\n"))
    }

    @Test func severalPullAtOnce() async throws {
        let hubs = (0..<4).map { _ in tiny.hub() }
        try await withThrowingTaskGroup(of: URL.self) { group in
            for hub in hubs { group.addTask { try await hub.pull(TinyHub.reference) } }
            for try await snapshot in group { #expect(snapshot.lastPathComponent == TinyHub.commit) }
        }
        // Each file came once.
        let names = tiny.server.requests.filter { $0.method == "GET" && $0.path.contains("/resolve/") }
            .map(\.path)
        #expect(Set(names).count == names.count, "\(names.sorted())")
        // Files from elsewhere too.
        let url = try #require(URL(string: tiny.server.url("/storage/v1.safetensors")))
        let folder = hubs[0].environment.ownFolder
        try await withThrowingTaskGroup(of: URL.self) { group in
            for hub in hubs { group.addTask { try await hub.pull(url, to: folder) } }
            for try await file in group {
                #expect(try Data(contentsOf: file) == Data(TinyHub.files["v1.safetensors"]!))
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["v1.safetensors"])
    }

    /// One that fetches a file holds up another, which wants it to be a certain one.
    @Test func whatAnotherProgramFetchedIsHeldToTheHashToo() async throws {
        let url = try #require(URL(string: tiny.server.url("/storage/v1.safetensors")))
        let folder = tiny.hub().environment.ownFolder
        let head = LocalServer.Reply(headers: ["ETag": "\"a\"", "content-length": "100000"])
        tiny.mood.answers = [("v1.safetensors", 1, head)]
        tiny.mood.breaksAfter = 60_000
        let first = Task { [hub = tiny.hub().withPause(.seconds(2))] in try await hub.pull(url, to: folder) }
        func hasBegun() -> Bool {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            return names.contains { name in
                let path = folder.appending(path: name).path
                return ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? 0) > 0
            }
        }
        while !hasBegun() { try await Task.sleep(for: .milliseconds(20)) }
        tiny.mood.answers = [("v1.safetensors", 1, head)]
        let failure = await refusal {
            try await tiny.hub().pull(url, to: folder, sha256: String(repeating: "0", count: 64))
        }
        guard case .wrongHash? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(try await Data(contentsOf: first.value) == Data(TinyHub.files["v1.safetensors"]!))
    }

    // F2
    @Test func aCacheThatIsOnlyReadIsReadAndNotWritten() async throws {
        let hub = tiny.hub()
        let snapshot = try await hub.pull(TinyHub.reference)
        let before = try tree()
        let dates = { (try? FileManager.default.attributesOfItem(atPath: $0))?[.modificationDate] as? Date }
        let folders = [root.path, root.appending(path: "models--someone--tiny").path]
        let written = folders.map(dates)
        // What is only read has no mark, no locks and nothing that could be made in it.
        try FileManager.default.removeItem(at: root.appending(path: ".locks"))
        try FileManager.default.removeItem(at: root.appending(path: "CACHEDIR.TAG"))
        for offline in [true, false] {
            #expect(try await tiny.hub(offline: offline).pull(TinyHub.reference) == snapshot)
        }
        #expect(!FileManager.default.fileExists(atPath: root.appending(path: ".locks").path))
        #expect(try tree() == before.filter { $0.key != "CACHEDIR.TAG" })
        #expect(dates(folders[1]) == written[1])
    }

    /// A model is there once its index is, so that half of one is none.
    @Test func whatIsInterruptedIsNoModel() async throws {
        tiny.mood.answers = [("resolve/\(TinyHub.commit)/vae/diffusion", 100, .init(status: 500))]
        await #expect(throws: HubError.self) { try await tiny.hub().pull(TinyHub.reference) }
        let store = ModelStore(tiny.hub().environment)
        #expect(store.entries.isEmpty)
        let commit = try #require(RepositoryReference("\(TinyHub.id)@\(TinyHub.commit)"))
        for reference in [TinyHub.reference, commit] {
            #expect(throws: HubError.self) { try store.model(named: reference.description) }
            await #expect(throws: HubError.self) { try await tiny.hub(offline: true).pull(reference) }
        }
        // What came of it can be removed.
        #expect(try store.remove(TinyHub.id).isEmpty)
        #expect(try tree().keys.sorted() == ["CACHEDIR.TAG"])
        tiny.mood.answers = []
        _ = try await tiny.hub().pull(TinyHub.reference)
        #expect(store.entries.map(\.name) == [TinyHub.id])
    }
}
