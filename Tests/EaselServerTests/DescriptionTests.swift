import Checkpoints
import Foundation
import Testing

@testable import EaselServer

/// The descriptions that the server gives of itself.
@Suite struct DescriptionTests {
    private static func description(_ path: String) throws -> JSONValue {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/EaselServer")
        return try JSONValue(contentsOf: sources.appending(path: path))
    }

    @Test("Every setting is described, and no other is")
    func settings() throws {
        let schemas = try Self.description("EaselAPI/openapi.json").objectValue?["components"]?
            .objectValue?["schemas"]?.objectValue
        func properties(_ name: String) -> Set<String> {
            Set(schemas?[name]?.objectValue?["properties"]?.objectValue?.keys ?? [])
        }
        #expect(properties("Settings") == Set(JobSettings.CodingKeys.allCases.map(\.rawValue)))
        #expect(properties("LoRA") == Set(JobSettings.NamedLoRA.CodingKeys.allCases.map(\.rawValue)))
        #expect(properties("Sides") == Set(JobSettings.Sides.CodingKeys.allCases.map(\.rawValue)))
        #expect(properties("SecondPass") == Set(JobSettings.SecondPass.CodingKeys.allCases.map(\.rawValue)))
    }

    @Test("The descriptions are a page to read, in which every path and field stands")
    func page() async throws {
        let server = try await RunningServer()
        let answer = try await server.get("/docs")
        #expect(answer.status == 200 && answer.headers["content-type"] == ["text/html; charset=utf-8"])
        for file in ["EaselAPI/openapi.json", "A1111API/a1111-openapi.json"] {
            let description = try Self.description(file).objectValue
            for path in description?["paths"]?.objectValue?.keys ?? [] {
                #expect(answer.text.contains("<code>\(path)</code>"), "\(path)")
            }
            let schemas = description?["components"]?.objectValue?["schemas"]?.objectValue?.members ?? []
            for field in schemas.flatMap({ $0.value.objectValue?["properties"]?.objectValue?.keys ?? [] }) {
                #expect(answer.text.contains("<code>\(field)</code>"), "\(field)")
            }
        }
        // Nothing is from elsewhere, every address in it leads somewhere, and every link into the page, too.
        #expect(!answer.text.contains("<script") && !answer.text.contains("//"))
        for match in answer.text.matches(of: /href="?([^">\s]+)/) {
            let target = String(match.1)
            if target.hasPrefix("#") {
                let name = target.dropFirst()
                #expect(
                    answer.text.contains("id=\(name)>") || answer.text.contains("id=\"\(name)\""), "\(target)"
                )
            } else {
                #expect(try await server.get(target).status == 200, "\(target)")
            }
        }
        for path in ["/docs", "/openapi.json", "/api/v1/openapi.json"] {
            let tag = try #require(try await server.get(path).headers["etag"].first)
            let known = try await server.ask(.GET, path, headers: [("If-None-Match", tag)])
            #expect(known.status == 304 && known.body.isEmpty, "\(path)")
        }
    }

    @Test("What a description says is text, whatever it says")
    func escaping() {
        let value: JSONValue = [
            "info": ["title": "<b>&\"'"],
            "paths": [
                "/<x>": ["get": ["summary": "</p><script>", "responses": ["200": ["description": "<i>"]]]]
            ],
        ]
        let html = DescriptionPage(documents: [.init(path: "/\"a", value: value)]).html
        #expect(html.contains("&lt;b&gt;&amp;&quot;&#39;") && html.contains("/&lt;x&gt;"))
        #expect(!html.contains("<script") && !html.contains("<b>") && !html.contains("<i>"))
        #expect(html.contains("href=\"/&quot;a\""))
    }

    @Test("Every path that is described is there, with its methods and no others")
    func paths() async throws {
        let server = try await RunningServer()
        for (file, address) in [
            ("EaselAPI/openapi.json", "/api/v1/openapi.json"),
            ("A1111API/a1111-openapi.json", "/openapi.json"),
        ] {
            let paths = try Self.description(file).objectValue?["paths"]?.objectValue
            #expect(try await server.get(address).value("paths")?.objectValue == paths)
            for member in paths?.members ?? [] {
                let described = (member.value.objectValue?.keys ?? []).map { $0.uppercased() }.sorted()
                let path = member.key.replacingOccurrences(of: "{id}", with: "none")
                // No path has all methods, so that one that is not there names those that are.
                let answer = try await server.ask(.PUT, path)
                #expect(answer.status == 405, "\(member.key)")
                #expect(
                    answer.headers["allow"].first?.components(separatedBy: ", ") == described, "\(member.key)"
                )
            }
        }
    }
}
