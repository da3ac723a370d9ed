import EaselHub
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
}
