import Crypto
import Foundation
import Testing

@testable import EaselServer

/// What browsers get of the studio's files.
@Suite struct StudioAssetTests {
    @Test("Indentation and lines of comments are left out, and nothing else")
    func compact() {
        #expect(
            StudioAssets.compact("// a\n\tlet b = 1 // c\n\n\t\t// d\n\t\te\n", ending: "js")
                == "let b = 1 // c\n\ne\n")
        #expect(
            StudioAssets.compact(
                "/* a */\n\tb { c: d } /* e */\n/* f */ g { h: i }\n/* j\n*/\n", ending: "css")
                == "b { c: d } /* e */\n/* f */ g { h: i }\n/* j\n*/\n")
        #expect(StudioAssets.compact("\t<p>a\n// b", ending: "html") == "<p>a\n// b")
    }

    @Test("The page has its style and the theme that was chosen in it, and its policy lets in no other style")
    func page() async throws {
        let server = try await RunningServer()
        for (cookie, start) in [
            (nil, "<html lang=en>"), ("easel-theme=light", "<html lang=en data-theme=light>"),
            ("a=b; easel-theme=dark", "<html lang=en data-theme=dark>"),
            ("easel-theme=dark>x", "<html lang=en>"),
        ] {
            let headers = cookie.map { [("cookie", $0)] } ?? []
            let answer = try await server.ask(.GET, "/", headers: headers)
            #expect(answer.text.contains(start) && !answer.text.contains("{{"), "\(cookie ?? "none")")
            let style = try #require(answer.text.firstMatch(of: /<style>([^<]*)<\/style>/)).1
            let hash = Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()
            let policy = try #require(answer.headers.first(name: "content-security-policy"))
            #expect(policy.contains("; style-src 'self' 'sha256-\(hash)'; "), "\(policy)")
        }
        let other = try await server.get("/healthz").headers.first(name: "content-security-policy")
        #expect(try #require(other).contains("; style-src 'self'; "))
    }

    /// The files as they are written.
    private static let sources = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/EaselServer/Studio/Assets")

    @Test("Every setting of a picture is in the form, or comes along with the picture")
    func settings() throws {
        func text(_ name: String) throws -> String {
            try String(contentsOf: Self.sources.appending(path: name), encoding: .utf8)
        }
        let form = try text("studio.html").matches(of: /\bname=([a-z_]+)/).map { String($0.1) }
        let carried = try #require(try text("settings.js").firstMatch(of: /const others = \[([^\]]*)\]/)).1
            .split { !$0.isLetter && $0 != "_" }.map(String.init)
        // Those of the picture to start from, and what does not change a picture.
        let others = ["init_image", "mask", "mask_invert", "preview_interval"]
        let all = Set(JobSettings.CodingKeys.allCases.map(\.rawValue))
        #expect(all.subtracting(form + carried + others) == [])
        #expect(Set(carried).subtracting(all) == [])
    }

    @Test("No string of a script goes over several lines")
    func strings() throws {
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.sources, includingPropertiesForKeys: nil)
        #expect(files.count > 30)
        for file in files where file.pathExtension == "js" {
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                #expect(line.count { $0 == "`" }.isMultiple(of: 2), "\(file.lastPathComponent): \(line)")
            }
        }
    }
}
