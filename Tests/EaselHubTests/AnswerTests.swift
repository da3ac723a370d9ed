import EaselHub
import Foundation
import Testing

/// What servers say is believed only as far as it can be.
@Suite struct AnswerTests {
    private let tiny: TinyHub

    init() throws { tiny = try TinyHub() }

    @Test func waitingHasAnEnd() {
        #expect(HubHeader.delay("1.5") == .seconds(1.5) && HubHeader.delay("-3") == .zero)
        #expect(HubHeader.delay("1e300") == .seconds(300))
        for text in ["nan", "inf", "-inf", "", "Fri, 31 Dec 1999 23:59:59 GMT"] {
            #expect(HubHeader.delay(text) == nil, "\(text)")
        }
    }

    @Test func limitsSayHowLongTheyLast() {
        #expect(HubHeader.delay(ofLimit: "\"api\";r=0;t=55") == .seconds(55))
        #expect(HubHeader.delay(ofLimit: "\"api\"; r=0; t=9999") == .seconds(300))
        for text in ["", "\"api\";r=0", "t=x", "\"t=5\";r=0"] {
            #expect(HubHeader.delay(ofLimit: text) == nil, "\(text)")
        }
    }

    /// The first answer says how long with RateLimit alone.
    @Test func limitsAreWaitedFor() async throws {
        tiny.mood.answers = [("/api/", 1, .init(status: 429, headers: ["RateLimit": "\"api\";r=0;t=1"]))]
        let start = ContinuousClock.now
        _ = try await tiny.hub().pull(TinyHub.reference, files: ["README.md"])
        #expect(ContinuousClock.now - start >= .seconds(1))
    }

    @Test func rangesAreRead() throws {
        let range = try #require(HubHeader.range("bytes 5-9/10"))
        #expect(range == (5, 10))
        #expect(try #require(HubHeader.range("bytes 5-9/*")).size == nil)
        for text in [
            "bytes */10", "5-9/10", "bytes 5/10", "bytes -5/10", "bytes 99999999999999999999-1/2", "",
        ] {
            #expect(HubHeader.range(text) == nil, "\(text)")
        }
    }

    @Test(arguments: [
        ("attachment; filename=\"dream v2.ckpt\"", "dream v2.ckpt"),
        ("attachment; FileName = dream.ckpt", "dream.ckpt"),
        ("attachment; filename=dream v2.ckpt", "dream v2.ckpt"),
        ("inline; filename=\"a;b.ckpt\"; size=3", "a;b.ckpt"),
        ("attachment; filename*=utf-8''r%C3%AAve%20%3B.ckpt", "rêve ;.ckpt"),
        ("attachment; filename=\"reve.ckpt\"; filename*=UTF-8'fr'r%C3%AAve.ckpt", "rêve.ckpt"),
        ("attachment; filename=\"reve.ckpt\"; filename*=other''r%EAve.ckpt", "reve.ckpt"),
        ("attachment; filename=\"reve.ckpt\"; filename*=UTF-8''%FF", "reve.ckpt"),
        ("attachment; filename=\"\"", nil),
        ("attachment", nil), ("", nil),
    ])
    func filesAreNamed(_ header: String, _ name: String?) {
        #expect(HubHeader.fileName(inDisposition: header) == name)
    }

    /// Addresses that are signed are so for GET alone, and have no file's name in them.
    @Test func aServerThatKnowsGETAloneNamesTheFileToo() async throws {
        let named = LocalServer.Reply(
            headers: ["Content-Disposition": "attachment; filename=\"dream.ckpt\""],
            body: TinyHub.files["v1.ckpt"]!)
        tiny.mood.answers = [("/storage/12345", 1, .init(status: 403)), ("/storage/12345", 2, named)]
        let hub = tiny.hub()
        let url = try #require(URL(string: tiny.server.url("/storage/12345")))
        let file = try await hub.pull(url, to: hub.environment.ownFolder)
        #expect(file.lastPathComponent == "dream.ckpt")
        #expect(try Data(contentsOf: file) == Data(TinyHub.files["v1.ckpt"]!))
        #expect(tiny.server.requests.map(\.method) == ["HEAD", "GET", "GET"])
    }

    // D7
    @Test func aFileHasASize() throws {
        let url = try #require(URL(string: "http://hub.test/x"))
        let headers = ["X-Repo-Commit": TinyHub.commit, "ETag": TinyHub.etag("v1.ckpt")]
        let error = #expect(throws: HubError.self) {
            try RemoteFile(path: "x", url: url, commit: TinyHub.commit) { headers[$0] }
        }
        #expect("\(try #require(error))" == "http://hub.test/x: the answer has no X-Linked-Size")
    }

    // D7
    @Test(arguments: [
        ("{\"siblings\": []}", "the answer has no commit or no list of files"),
        ("{\"sha\": \"main\", \"siblings\": []}", "the answer has no commit or no list of files"),
        ("{\"sha\": \"\(TinyHub.commit)\"}", "the answer has no commit or no list of files"),
        ("<html>", "the answer, line 1, byte 0: expected a value, found '<'"),
    ])
    func listsThatSayTooLittleAreRefused(_ body: String, _ reason: String) async throws {
        tiny.mood.answers = [("/api/", 1, .init(body: Array(body.utf8)))]
        let error = await #expect(throws: HubError.self) { try await tiny.hub().pull(TinyHub.reference) }
        let url = tiny.server.url("/api/models/\(TinyHub.id)/revision/main")
        #expect("\(try #require(error))" == "\(url): \(reason)")
    }

    /// Sizes that are no file's, so that their sum is no number, and one that is more than came.
    @Test(arguments: ["9223372036854775807", "1125899906842625", "1e3", "-1", ""])
    func sizesAreThoseOfFiles(_ size: String) async throws {
        tiny.mood.with = ["X-Linked-Size": size]
        await #expect(throws: HubError.self) { try await tiny.hub().pull(TinyHub.reference) }
    }

    /// A server that goes on somewhere else than it was asked to, or says nothing of where.
    @Test(arguments: ["bytes 0-99999/100000", "bytes 40001-99999/100000", "bytes 40000-99999/7", nil])
    func otherRangesAreNotTaken(_ range: String?) async throws {
        let bytes = TinyHub.files["v1.ckpt"]!
        let blobs = tiny.folder.appending(path: "hub/models--someone--tiny/blobs")
        try FileManager.default.createDirectory(at: blobs, withIntermediateDirectories: true)
        try Data(bytes.prefix(40_000)).write(
            to: blobs.appending(path: "\(TinyHub.etag("v1.ckpt")).incomplete"))
        let head = LocalServer.Reply(headers: [
            "X-Repo-Commit": TinyHub.commit, "ETag": TinyHub.etag("v1.ckpt"), "content-length": "100000",
        ])
        let other = LocalServer.Reply(
            status: 206, headers: range.map { ["Content-Range": $0] } ?? [:], body: Array(bytes[40_000...]))
        tiny.mood.answers = [("v1.ckpt", 1, head), ("v1.ckpt", 1, other)]
        let file = try await tiny.hub().pull(TinyHub.reference, files: ["v1.ckpt"])
        #expect(try Data(contentsOf: file) == Data(bytes))
        #expect(tiny.server.requests.filter { $0.method == "GET" && $0.path.contains("v1.ckpt") }.count == 2)
    }

    @Test func filesFromElsewhereGoOnOnlyAsTheSameFile() async throws {
        let hub = tiny.hub()
        let folder = hub.environment.ownFolder
        let url = try #require(URL(string: tiny.server.url("/storage/v1.ckpt")))
        func pull(_ version: String) async throws -> URL {
            let head = LocalServer.Reply(headers: ["ETag": version, "content-length": "100000"])
            tiny.mood.answers = [("v1.ckpt", 1, head)]
            return try await hub.pull(url, to: folder)
        }
        // The first connection breaks, and all that follow are refused.
        tiny.mood.breaksAfter = 60_000
        let head = LocalServer.Reply(headers: ["ETag": "\"a\"", "content-length": "100000"])
        tiny.mood.answers = [("v1.ckpt", 1, head)]
        let task = Task { try await hub.withPause(.seconds(60)).pull(url, to: folder) }
        func come() -> Int {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            return names.compactMap { name in
                let path = folder.appending(path: name).path
                return (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
            }.reduce(0, +)
        }
        while come() == 0 { try await Task.sleep(for: .milliseconds(20)) }
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
        let start = come()
        #expect((1...60_000).contains(start))
        tiny.server.forgetRequests()
        // Another version of the file begins at its start, the same one goes on.
        _ = try await pull("\"b\"")
        #expect(tiny.server.requests.allSatisfy { $0.headers["range"] == nil })
        let file = try await pull("\"a\"")
        #expect(tiny.server.requests.last?.headers["range"] == "bytes=\(start)-")
        #expect(try Data(contentsOf: file) == Data(TinyHub.files["v1.ckpt"]!))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["v1.ckpt"])
        // With its hash, what is there is not fetched again.
        tiny.server.forgetRequests()
        _ = try await hub.pull(url, to: folder, sha256: TinyHub.etag("v1.ckpt").uppercased())
        #expect(tiny.server.requests.map(\.method) == ["HEAD"])
    }

    // M46
    @Test func aPageIsNoFile() async throws {
        let page = LocalServer.Reply(
            headers: ["Content-Type": "text/html; charset=utf-8"], body: Array("<html>Log in</html>".utf8))
        tiny.mood.answers = [("/storage/", 2, page)]
        let hub = tiny.hub()
        let url = try #require(URL(string: tiny.server.url("/storage/v1.ckpt")))
        let error = await #expect(throws: HubError.self) {
            try await hub.pull(url, to: hub.environment.ownFolder)
        }
        #expect(error == .webPage(url: url.absoluteString))
        let left = try FileManager.default.contentsOfDirectory(atPath: hub.environment.ownFolder.path)
        #expect(left.isEmpty)
    }

    /// What is no repository's has no repository's errors, and a hub's address is one of a server.
    @Test func refusalsOfOtherServersAreToldAsTheyAre() async throws {
        let hub = tiny.hub()
        let url = try #require(URL(string: tiny.server.url("/nothing")))
        let error = await #expect(throws: HubError.self) {
            try await hub.pull(url, to: hub.environment.ownFolder)
        }
        #expect(error == .status(401, url: url.absoluteString))
        var environment = hub.environment
        environment.endpoint = try #require(URL(string: "nonsense"))
        await #expect(throws: HubError.self) { try await Hub(environment).pull(TinyHub.reference) }
    }

    @Test func addressesOfTheHubAreRepositories() throws {
        let hub = try #require(URL(string: "https://hub.test"))
        func source(_ text: String) throws -> PullSource { try PullSource(text, endpoint: hub) }
        let plain = try #require(RepositoryReference("a/b"))
        let revised = try #require(RepositoryReference("a/b@v1"))
        #expect(try source("a/b@v1") == .repository(revised, file: nil))
        #expect(try source("https://hub.test/a/b") == .repository(plain, file: nil))
        #expect(try source("https://hub.test/a/b/tree/v1") == .repository(revised, file: nil))
        #expect(
            try source("https://hub.test/a/b/resolve/v1/c/d.ckpt")
                == .repository(revised, file: "c/d.ckpt"))
        let request = try #require(RepositoryReference("a/b@refs/pr/3"))
        #expect(try source("https://hub.test/a/b/tree/refs%2Fpr%2F3") == .repository(request, file: nil))
        #expect(
            try source("https://hub.test/a/b/blob/refs%2Fpr%2F3/c%20d/e.ckpt")
                == .repository(request, file: "c d/e.ckpt"))
        let elsewhere = "https://other.test/a/b/resolve/v1/c"
        #expect(try source(elsewhere) == .file(URL(string: elsewhere)!))
        for text in ["", "a/b/c", "ftp://a/b", "../x", "a/b@"] {
            #expect(throws: PullSourceError.self, "\(text)") { try source(text) }
        }
    }
}
