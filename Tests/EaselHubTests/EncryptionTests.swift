import EaselHub
import Foundation
import Testing

@Suite("Hubs that speak TLS") struct EncryptionTests {
    private let tiny: TinyHub

    init() throws { tiny = try TinyHub(isEncrypted: true) }

    /// The hub, with its certificate among those that are trusted.
    private func trusting() throws -> Hub {
        let file = tiny.folder.appending(path: "certificate.pem")
        try FileManager.default.createDirectory(at: tiny.folder, withIntermediateDirectories: true)
        try Data(TestCertificate.certificate.utf8).write(to: file)
        var environment = tiny.hub().environment
        environment.certificates = file
        return Hub(environment).withPause(.milliseconds(10))
    }

    private var published: [String] {
        let cache = tiny.folder.appending(path: "hub/models--someone--tiny/snapshots")
        return FileManager.default.enumerator(atPath: cache.path)?.compactMap { $0 as? String } ?? []
    }

    @Test func aModelComes() async throws {
        let snapshot = try await trusting().pull(TinyHub.reference)
        let name = "unet/diffusion_pytorch_model.safetensors"
        #expect(try Data(contentsOf: snapshot.appending(path: name)) == Data(TinyHub.files[name] ?? []))
        #expect(tiny.server.requests.allSatisfy { $0.headers["authorization"] == "Bearer secret" })
    }

    @Test func aServerThatNobodyVouchesForIsAskedNothing() async throws {
        let error = await #expect(throws: HubError.self) { try await tiny.hub().pull(TinyHub.reference) }
        // At once: what was said once stays so.
        guard case .untrusted(let url)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(url.hasPrefix("https://127.0.0.1"))
        #expect("\(HubError.untrusted(url: url))".contains("SSL_CERT_FILE"))
        #expect(tiny.server.requests.isEmpty)
        #expect(published.isEmpty)
    }

    // D12
    @Test func aRedirectThatEndsEncryptionIsNotFollowed() async throws {
        let plain = try LocalServer { _ in .init() }
        tiny.mood.storage = plain.url(host: "localhost")
        let hub = try trusting()
        let error = await #expect(throws: HubError.self) { try await hub.pull(TinyHub.reference) }
        guard case .insecureRedirect(let from, let to)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(from.hasPrefix("https://127.0.0.1") && to.hasPrefix("http://localhost"))
        #expect(plain.requests.isEmpty)
        #expect(published.allSatisfy { !TinyHub.isLarge($0) })
    }

    @Test func aRedirectToAnotherEncryptedHostHasNoToken() async throws {
        let storage = try LocalServer(isEncrypted: true) { request in
            .init(body: TinyHub.files[String(request.path.dropFirst("/storage/".count))] ?? [])
        }
        tiny.mood.storage = storage.url(host: "localhost")
        _ = try await trusting().pull(TinyHub.reference)
        #expect(!storage.requests.isEmpty)
        #expect(storage.requests.allSatisfy { $0.headers["authorization"] == nil })
    }

    @Test func theEnvironmentNamesCertificates() {
        #expect(HubEnvironment([:]).certificates == nil)
        #expect(HubEnvironment(["REQUESTS_CA_BUNDLE": "/a.pem"]).certificates?.path == "/a.pem")
        let both = HubEnvironment(["REQUESTS_CA_BUNDLE": "/a.pem", "SSL_CERT_FILE": "/b.pem"])
        #expect(both.certificates?.path == "/b.pem")
    }
}
