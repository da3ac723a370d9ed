import EaselHub
import Foundation
import Synchronization
import Testing

@Suite("Pulling models") struct PullTests {
    private let tiny: TinyHub
    private var cache: URL { tiny.folder.appending(path: "hub/models--someone--tiny") }

    init() throws { tiny = try TinyHub() }

    /// The names of everything below a folder, without folders.
    private func names(_ folder: URL) -> [String] {
        let all = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return all.filter { name in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(
                atPath: folder.appending(path: name).path, isDirectory: &isFolder)
            return !isFolder.boolValue
        }.sorted()
    }

    @Test func onlyWhatIsNeededComesAndOnce() async throws {
        let progress = Mutex<[Hub.Progress]>([])
        let snapshot = try await tiny.hub().pull(TinyHub.reference) { one in
            progress.withLock { $0.append(one) }
        }
        #expect(snapshot.path == cache.appending(path: "snapshots/\(TinyHub.commit)").path)
        #expect(
            names(snapshot) == [
                "model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json",
                "text_encoder/model-00001-of-00002.safetensors",
                "text_encoder/model-00002-of-00002.safetensors",
                "text_encoder/model.safetensors.index.json", "tokenizer/merges.txt", "tokenizer/vocab.json",
                "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "vae/config.json",
                "vae/diffusion_pytorch_model.safetensors",
            ])
        for name in names(snapshot) {
            let file = snapshot.appending(path: name)
            #expect(try Data(contentsOf: file) == Data(TinyHub.files[name] ?? []), "\(name)")
            let link = try FileManager.default.destinationOfSymbolicLink(atPath: file.path)
            let up = String(repeating: "../", count: name.split(separator: "/").count + 1)
            #expect(link == "\(up)blobs/\(TinyHub.etag(name))")
        }
        #expect(try String(contentsOf: cache.appending(path: "refs/main"), encoding: .utf8) == TinyHub.commit)
        let last = try #require(progress.withLock { $0.max { $0.byteCount < $1.byteCount } })
        #expect(last.byteCount == last.totalByteCount && last.byteCount > 400_000)
        // The token went along, and nothing is asked for twice.
        #expect(tiny.server.requests.allSatisfy { $0.headers["authorization"] == "Bearer secret" })
        tiny.server.forgetRequests()
        _ = try await tiny.hub().pull(TinyHub.reference)
        #expect(tiny.server.requests.map(\.path) == ["/api/models/someone/tiny/revision/main"])
        #expect(names(cache.appending(path: "blobs")).allSatisfy { !$0.hasSuffix(".incomplete") })
    }

    @Test func variantsAndFilesCanBeNamed() async throws {
        let half = try await tiny.hub().pull(TinyHub.reference, variant: "fp16")
        #expect(names(half).contains("unet/diffusion_pytorch_model.fp16.safetensors"))
        #expect(!names(half).contains("unet/diffusion_pytorch_model.safetensors"))
        let other = await refusal { try await tiny.hub().pull(TinyHub.reference, variant: "ema") }
        #expect(other == .noVariant("ema", repository: TinyHub.id, variants: ["fp16"]))
        let file = try await tiny.hub().pull(TinyHub.reference, files: ["v1.safetensors"])
        #expect(file.lastPathComponent == "v1.safetensors")
        #expect(try Data(contentsOf: file) == Data(TinyHub.files["v1.safetensors"]!))
        let missing = await refusal {
            try await tiny.hub().pull(TinyHub.reference, files: ["v2.safetensors"])
        }
        #expect(missing == .noFile("v2.safetensors", repository: TinyHub.id))
    }

    // D1
    @Test func wrongBytesAreNotKept() async throws {
        tiny.mood.damages = true
        let failure = await refusal { try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"]) }
        guard case .wrongHash("v1.ckpt", TinyHub.etag("v1.ckpt"), _)? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(
            names(cache.appending(path: "blobs")).isEmpty && names(cache.appending(path: "snapshots")).isEmpty
        )
        // A small file, whose hash is Git's.
        let small = await refusal { try await tiny.hub().pull(TinyHub.reference, files: ["README.md"]) }
        guard case .wrongHash("README.md", _, _)? = small else {
            Issue.record("\(String(describing: small))")
            return
        }
    }

    // D2, D3
    @Test(arguments: [true, false]) func brokenConnectionsAreTakenUp(_ knowsRanges: Bool) async throws {
        tiny.mood.breaksAfter = 60_000
        tiny.mood.knowsRanges = knowsRanges
        let file = try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"])
        #expect(try Data(contentsOf: file) == Data(TinyHub.files["v1.ckpt"]!))
        let ranges = tiny.server.requests.filter { $0.method == "GET" && $0.path.hasSuffix("v1.ckpt") }
            .map { $0.headers["range"] }
        #expect(ranges.count == 2 && ranges[0] == nil)
        #expect(ranges[1]?.hasPrefix("bytes=") == true && ranges[1] != "bytes=0-")
    }

    // D2, D4
    @Test func whatCameBeforeIsGoneOnWith() async throws {
        let blobs = cache.appending(path: "blobs")
        try FileManager.default.createDirectory(at: blobs, withIntermediateDirectories: true)
        let partial = blobs.appending(path: "\(TinyHub.etag("v1.ckpt")).incomplete")
        let bytes = TinyHub.files["v1.ckpt"]!
        try Data(bytes.prefix(40_000)).write(to: partial)
        let file = try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"])
        #expect(try Data(contentsOf: file) == Data(bytes))
        #expect(tiny.server.requests.contains { $0.headers["range"] == "bytes=40000-" })
        // A range that the server has not: from the beginning, once.
        try FileManager.default.removeItem(at: tiny.folder)
        try FileManager.default.createDirectory(at: blobs, withIntermediateDirectories: true)
        try Data(bytes.prefix(10)).write(to: partial)
        tiny.mood.answers = [
            (
                "v1.ckpt", 1,
                .init(headers: [
                    "X-Repo-Commit": TinyHub.commit, "ETag": TinyHub.etag("v1.ckpt"),
                    "content-length": "100000",
                ])
            ), ("v1.ckpt", 1, .init(status: 416)),
        ]
        _ = try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"])
        #expect(try Data(contentsOf: file) == Data(bytes))
    }

    // D5
    @Test func theTokenStaysWithTheHub() async throws {
        tiny.mood.storage = tiny.server.url(host: "localhost")
        let file = try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"])
        #expect(try Data(contentsOf: file) == Data(TinyHub.files["v1.ckpt"]!))
        let stored = tiny.server.requests.filter { $0.path.hasPrefix("/storage/") }
        #expect(stored.count == 1 && stored[0].headers["authorization"] == nil)
        #expect(stored[0].headers["host"]?.hasPrefix("localhost") == true)
    }

    /// Whole addresses are followed by what fetches a file, paths by what asks for it too.
    @Test func aHubMayBeItsOwnStorage() async throws {
        let path = "/\(TinyHub.id)/resolve/\(TinyHub.commit)/v1.ckpt"
        tiny.mood.answers = [("v1.ckpt", 1, .init(status: 307, headers: ["Location": path]))]
        tiny.mood.storage = tiny.server.url()
        let file = try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"])
        #expect(try Data(contentsOf: file) == Data(TinyHub.files["v1.ckpt"]!))
        let asked = tiny.server.requests.filter { $0.path.hasSuffix("v1.ckpt") }
        #expect(asked.map(\.method) == ["HEAD", "HEAD", "GET", "GET"])
        #expect(asked.last?.path == "/storage/v1.ckpt")
    }

    // D6
    @Test(
        arguments: [
            ("../x", "leads out of its folder"), ("/x", "leads out of its folder"),
            ("a\\\\..\\\\b", "has a backslash"), ("C:x", "has a backslash or a colon"),
            ("a//b", "has a part that is empty"), ("a/./b", "or a dot"), ("", "is empty"),
            ("a\\u0000", "has a control character"), ("a/\\u001b[31mred", "has a control character"),
        ])
    func namesThatLeadOutAreRefused(_ name: String, _ reason: String) async throws {
        let body = "{\"sha\": \"\(TinyHub.commit)\", \"siblings\": [{\"rfilename\": \"\(name)\"}]}"
        tiny.mood.answers = [("/api/", 1, .init(body: Array(body.utf8)))]
        let failure = await refusal { try await tiny.hub().pull(TinyHub.reference) }
        guard case .unsafeName? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        let text = "\(try #require(failure))"
        #expect(text.contains(reason) && !text.utf8.contains { $0 < 32 }, "\(text)")
    }

    // D7, D8
    @Test func answersThatSayTooLittleAreRefused() async throws {
        for (without, with, reason) in [
            (["X-Repo-Commit"], [:], "the answer has no X-Repo-Commit"),
            (["X-Linked-Etag", "ETag"], [:], "the answer has no X-Linked-Etag"),
            (
                [], ["X-Linked-Etag": "\"../../etc/passwd\""],
                "the ETag \"../../etc/passwd\" is neither a SHA-256 nor a Git hash"
            ), ([], ["X-Linked-Etag": "\"abc\""], "the ETag \"abc\" is neither a SHA-256 nor a Git hash"),
            ([], ["X-Linked-Size": "-1"], "\"-1\" is no file's size"),
            (
                [], ["X-Repo-Commit": "other"],
                "it is of the commit \"other\", asked for was \(TinyHub.commit)"
            ),
        ] as [(Set<String>, [String: String], String)] {
            (tiny.mood.without, tiny.mood.with) = (without, with)
            let failure = await refusal { try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"]) }
            let url = tiny.server.url("/\(TinyHub.id)/resolve/\(TinyHub.commit)/v1.ckpt")
            #expect(failure.map { "\($0)" } == "\(url): \(reason)")
        }
        #expect(names(cache.appending(path: "blobs")).isEmpty)
    }

    // D9
    @Test func offlineNothingIsAsked() async throws {
        let failure = await refusal { try await tiny.hub(offline: true).pull(TinyHub.reference) }
        #expect(failure == .offline(TinyHub.id))
        let snapshot = try await tiny.hub().pull(TinyHub.reference)
        tiny.server.forgetRequests()
        #expect(try await tiny.hub(offline: true).pull(TinyHub.reference) == snapshot)
        let other = await refusal {
            try await tiny.hub(offline: true).pull(TinyHub.reference, files: ["v1.ckpt"])
        }
        #expect(other == .offline("\(TinyHub.id)/v1.ckpt"))
        // The index alone is no model.
        let file = snapshot.appending(path: "model_index.json")
        let index = try Data(contentsOf: file)
        try FileManager.default.removeItem(at: file)
        try Data(#"{"_class_name": "StableDiffusionPipeline", "vae": ["diffusers", "AutoencoderKL"]}"#.utf8)
            .write(to: file)
        let weights = snapshot.appending(path: "vae/diffusion_pytorch_model.safetensors")
        #expect(try await tiny.hub(offline: true).pull(TinyHub.reference) == snapshot)
        try FileManager.default.removeItem(at: weights.resolvingSymlinksInPath())
        let part = await refusal { try await tiny.hub(offline: true).pull(TinyHub.reference) }
        #expect(part == .offline("\(TinyHub.id): the weights of vae"))
        try index.write(to: file)
        #expect(tiny.server.requests.isEmpty)
        // A commit that is here is not asked for either.
        let commit = try #require(RepositoryReference("\(TinyHub.id)@\(TinyHub.commit)"))
        _ = try await tiny.hub().pull(commit, files: ["model_index.json"])
        #expect(tiny.server.requests.isEmpty)
    }

    // D10
    @Test func refusalsAreTold() async throws {
        let hidden = await refusal { try await tiny.hub(token: nil).pull(RepositoryReference("no/one")!) }
        #expect(hidden == .noRepository("no/one", hasToken: false))
        let revision = await refusal { try await tiny.hub().pull(RepositoryReference("\(TinyHub.id)@v9")!) }
        #expect(revision == .noRevision(repository: TinyHub.id, revision: "v9"))
        tiny.mood.answers = [("/api/", 1, .init(status: 403, headers: ["X-Error-Code": "GatedRepo"]))]
        #expect(
            await refusal { try await tiny.hub().pull(TinyHub.reference) }
                == .gated(TinyHub.id, hasToken: true)
        )
    }

    // D11
    @Test func patienceIsKept() async throws {
        tiny.mood.answers = [("/api/", 3, .init(status: 429, headers: ["Retry-After": "0"]))]
        _ = try await tiny.hub().pull(TinyHub.reference, files: ["README.md"])
        tiny.mood.answers = [("/api/", 100, .init(status: 429, headers: ["Retry-After": "0"]))]
        tiny.server.forgetRequests()
        let failure = await refusal { try await tiny.hub().pull(TinyHub.reference) }
        guard case .busy(429, _, attempts: 5, hasToken: true)? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect("\(try #require(failure))".contains("each of 5 times"))
        #expect(tiny.server.requests.count == 5)
    }

    @Test func redirectsEnd() async throws {
        tiny.mood.answers = [("/api/", 100, .init(status: 302, headers: ["Location": "/api/again"]))]
        guard case .tooManyRedirects? = await refusal({ try await tiny.hub().pull(TinyHub.reference) }) else {
            Issue.record("redirects went on")
            return
        }
    }

    @Test func filesFromAnywhereGoIntoTheOwnFolder() async throws {
        let hub = tiny.hub()
        let url = URL(string: tiny.server.url("/storage/v1.safetensors", host: "localhost"))!
        let right = TinyHub.etag("v1.safetensors")
        let wrong = await refusal {
            try await hub.pull(url, to: hub.environment.ownFolder, sha256: String(repeating: "0", count: 64))
        }
        guard case .wrongHash? = wrong else {
            Issue.record("\(String(describing: wrong))")
            return
        }
        let file = try await hub.pull(url, to: hub.environment.ownFolder, sha256: right)
        #expect(try Data(contentsOf: file) == Data(TinyHub.files["v1.safetensors"]!))
        #expect(tiny.server.requests.allSatisfy { $0.headers["authorization"] == nil })
        #expect(names(hub.environment.ownFolder) == ["v1.safetensors"])
    }
}
