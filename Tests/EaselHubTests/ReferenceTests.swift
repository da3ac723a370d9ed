import EaselHub
import Foundation
import Testing

@Suite struct ReferenceTests {
    @Test func namesAreThoseOfTheHub() throws {
        let plain = try #require(RepositoryReference("stable-diffusion-v1-5/stable-diffusion-v1-5"))
        #expect(plain.revision == "main" && plain.description == plain.id)
        #expect(RepositoryReference("gpt2")?.id == "gpt2")
        #expect(RepositoryReference("a/b@refs/pr/3")?.revision == "refs/pr/3")
        for text in [
            "", "a/b/c", "/b", "a/", "a--b/c", "a..b/c", "a/b.git", "-a/b", "a/b-", "a b/c", "a/b@",
            "a/b@../x",
            "a/b@x//y", "a/b@x\\y", "a\\..\\b", "C:x", "a/\u{0}", "a/" + String(repeating: "b", count: 95),
        ] {
            #expect(RepositoryReference(text) == nil, "\(text)")
        }
    }

    // D12
    @Test func encryptionIsNotLeft() throws {
        let secure = try #require(URL(string: "https://hub.test/a/resolve/main/x"))
        let plain = try #require(URL(string: "http://hub.test/a/resolve/main/x"))
        #expect(try secure.redirected(to: "/b")?.absoluteString == "https://hub.test/b")
        #expect(try secure.redirected(to: "https://files.test/c")?.host == "files.test")
        #expect(try plain.redirected(to: "http://files.test/c")?.host == "files.test")
        #expect(try plain.redirected(to: "https://files.test/c")?.scheme == "https")
        for location in ["http://hub.test/b", "http://files.test/b", "HTTP://hub.test/b"] {
            let error = #expect(throws: HubError.self) { _ = try secure.redirected(to: location) }
            guard case .insecureRedirect? = error else {
                Issue.record("\(location): \(String(describing: error))")
                continue
            }
        }
        for location in ["file:///etc/passwd", "ftp://files.test/b", "data:text/plain,x"] {
            #expect(throws: HubError.self) { _ = try plain.redirected(to: location) }
        }
    }
}
