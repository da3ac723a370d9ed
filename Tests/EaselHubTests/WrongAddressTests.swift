import EaselHub
import Foundation
import Testing

/// Addresses that lead nowhere, and what is told of them.
@Suite struct WrongAddressTests {
    private let tiny: TinyHub

    init() throws { tiny = try TinyHub() }

    @Test(
        arguments: [
            ("http://127.0.0.1:99999/x", "has the port 99999, where there are 1 to 65535"),
            ("http://127.0.0.1:0/x", "has the port 0"), ("http:///x", "names no server"),
            ("http://127.0.0.1:99999999999999999999/x", "has the port 99999999999999999999"),
            ("ftp://files.test/x", "is not of http or https"),
        ])
    func addressesOfNoServerAreNotAsked(_ address: String, _ reason: String) async throws {
        let hub = tiny.hub()
        let url = try #require(URL(string: address))
        let own = await refusal { try await hub.pull(url, to: hub.environment.ownFolder) }
        #expect("\(try #require(own))".contains("the address \(reason)"))
        tiny.mood.answers = [("/api/", 100, .init(status: 302, headers: ["Location": address]))]
        let redirected = await refusal { try await hub.pull(TinyHub.reference) }
        #expect("\(try #require(redirected))".contains("it leads to \(address), which \(reason)"))
        // It is asked once, and what it says is the end.
        #expect(tiny.server.requests.count == 1)
    }

    @Test(arguments: [
        "127.0.0.1:8080", "hub.test", "ftp://hub.test", "http://", "http://hub.test:99999", "a b",
    ])
    func aWrongEndpointIsNotTakenForHuggingFaces(_ text: String) async throws {
        var environment = HubEnvironment(["HF_ENDPOINT": text, "HF_TOKEN": "secret"])
        let hub = Hub(environment)
        #expect(await refusal { try await hub.pull(TinyHub.reference) } == .endpoint(text))
        // It is for the user to say where the token goes, whatever is asked for.
        let url = try #require(URL(string: tiny.server.url("/storage/v1.ckpt")))
        #expect(await refusal { try await hub.pull(url, to: tiny.folder) } == .endpoint(text))
        #expect(tiny.server.requests.isEmpty)
        environment.endpoint = try #require(URL(string: tiny.server.url()))
        environment.cache = tiny.folder.appending(path: "hub")
        _ = try await Hub(environment).pull(TinyHub.reference, files: ["README.md"])
        #expect(HubEnvironment(["HF_ENDPOINT": ""]).endpoint.host == "huggingface.co")
    }

    /// A file's connection is taken up again where it broke, and not by two at once.
    @Test func aServerThatIsGoneIsNotAskedForMinutes() async throws {
        let closing = try ClosingServer()
        tiny.mood.storage = "http://127.0.0.1:\(closing.port)"
        let failure = await refusal { try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"]) }
        guard case .connection(let url, _)? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(url.hasPrefix("http://127.0.0.1:\(closing.port)/"))
        // The first time, and five times again.
        #expect(closing.count == 6)
    }

    @Test func secretsOfAddressesAreNotTold() async throws {
        let hub = tiny.hub()
        let plain = tiny.server.url("/nothing")
        let secret = plain.replacing("http://", with: "http://me:pass@") + "?token=word#place"
        let url = try #require(URL(string: secret))
        let failure = await refusal { try await hub.pull(url, to: hub.environment.ownFolder) }
        #expect(failure == .status(401, url: plain))
        for text in [
            "http://me:pass@hub.test:99999", "me:pass@hub.test", "http://me:pa/ss@hub.test",
            "me:pa?ss@hub.test",
        ] {
            let source = text.contains("://") ? text : "http://\(text)"
            let told = "\(HubError.endpoint(text)) \(PullSourceError(source: source))"
            #expect(!told.contains("me:") && !told.contains("ss@") && told.contains("hub.test"), "\(told)")
        }
        #expect("\(PullSourceError(source: "a/b/c@v1"))".hasPrefix("a/b/c@v1 is neither"))
    }

    @Test func refusalsOfAFileNameItsRepository() async throws {
        for (status, wanted) in [
            (401, HubError.noRepository(TinyHub.id, hasToken: true)),
            (403, .gated(TinyHub.id, hasToken: true)),
            (404, .noFile("v1.ckpt", repository: TinyHub.id)),
        ] {
            tiny.mood.storage = tiny.server.url()
            tiny.mood.answers = [("/storage/", 1, .init(status: status))]
            let failure = await refusal { try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"]) }
            #expect(failure == wanted)
        }
        tiny.mood.answers = [("/api/", 1, .init(status: 404, headers: ["X-Error-Code": "EntryNotFound"]))]
        #expect(
            await refusal { try await tiny.hub().pull(TinyHub.reference) }
                == .noRepository(TinyHub.id, hasToken: true))
    }

    @Test func aTokenThatIsSetIsNotAskedFor() async throws {
        for token in ["secret", nil] {
            tiny.mood.answers = [("/api/", 5, .init(status: 429, headers: ["Retry-After": "0"]))]
            let failure = await refusal { try await tiny.hub(token: token).pull(TinyHub.reference) }
            #expect("\(try #require(failure))".contains("set HF_TOKEN") == (token == nil))
        }
    }

    @Test func aFileThatIsTooLongIsNotCounted() async throws {
        tiny.mood.with = ["X-Linked-Size": "50"]
        let failure = await refusal { try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"]) }
        #expect("\(try #require(failure))" == "v1.ckpt: more than 50 bytes came, expected were 50")
    }

    @Test func aListOfFilesHasALimit() async throws {
        tiny.mood.answers = [("/api/", 1, .init(headers: ["content-length": "70000000"]))]
        let failure = await refusal { try await tiny.hub().pull(TinyHub.reference) }
        let url = tiny.server.url("/api/models/\(TinyHub.id)/revision/main")
        #expect(
            failure == .malformed(url: url, reason: "the list of files has more than 67108864 bytes"))
    }

    @Test func aCacheThatCannotBeWrittenIsNamed() async throws {
        try FileManager.default.createDirectory(at: tiny.folder, withIntermediateDirectories: true)
        let hub = tiny.hub()
        // A file is where the folder should be.
        try Data().write(to: hub.environment.cache)
        let failure = await refusal { try await hub.pull(TinyHub.reference) }
        let folder = hub.environment.cache.appending(path: "models--someone--tiny").path
        #expect(failure == .unwritable(path: folder, reason: "Not a directory"))
    }

    @Test func nothingIsWrittenThroughALink() async throws {
        let blobs = tiny.folder.appending(path: "hub/models--someone--tiny/blobs")
        let (other, partial) = (
            tiny.folder.appending(path: "other"),
            blobs.appending(path: TinyHub.etag("v1.ckpt") + ".incomplete")
        )
        try FileManager.default.createDirectory(at: blobs, withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: other)
        try FileManager.default.createSymbolicLink(at: partial, withDestinationURL: other)
        let failure = await refusal { try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"]) }
        guard case .unwritable(partial.path, _)? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(try Data(contentsOf: other) == Data("mine".utf8))
    }

    // D9
    @Test func aLoneFileIsFoundOffline() async throws {
        let listing = "{\"sha\": \"\(TinyHub.commit)\", \"siblings\": [{\"rfilename\": \"v1.safetensors\"}]}"
        tiny.mood.answers = [("/api/", 1, .init(body: Array(listing.utf8)))]
        let file = try await tiny.hub().pull(TinyHub.reference)
        #expect(file.lastPathComponent == "v1.safetensors")
        tiny.server.forgetRequests()
        #expect(try await tiny.hub(offline: true).pull(TinyHub.reference) == file)
        #expect(tiny.server.requests.isEmpty)
        // By the repository's name, until there is another one.
        let store = ModelStore(tiny.hub().environment)
        #expect(try store.model(named: TinyHub.id) == file)
        #expect(store.file(named: TinyHub.id, kind: .model) == file)
        _ = try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"])
        let names = ["v1.ckpt", "v1.safetensors"]
        let unknown = #expect(throws: HubError.self) { try store.model(named: TinyHub.id) }
        #expect(unknown == .unknownModel(TinyHub.id, nearest: names.map { "\(TinyHub.id):\($0)" }))
        #expect(store.file(named: TinyHub.id, kind: .model) == nil)
        let several = await refusal { try await tiny.hub(offline: true).pull(TinyHub.reference) }
        #expect(several == .offline("\(TinyHub.id)/model_index.json", known: names))
        #expect(
            "\(HubError.offline("a/b", known: names))".hasSuffix(
                "there are v1.ckpt, v1.safetensors: name one of them"))
    }

    /// The hub's terms are not what a storage host refuses by.
    @Test func aStorageHostThatRefusesIsNamed() async throws {
        let storage = tiny.server.url().replacing("127.0.0.1", with: "localhost")
        tiny.mood.storage = storage
        tiny.mood.answers = [("/storage/", 1, .init(status: 403))]
        let failure = await refusal { try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"]) }
        #expect(failure == .status(403, url: "\(storage)/storage/v1.ckpt"))
    }
}
