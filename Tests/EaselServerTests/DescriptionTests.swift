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
