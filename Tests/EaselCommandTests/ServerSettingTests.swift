import Foundation
import Testing

@Suite("The server's settings are used or refused")
struct ServerSettingTests {
    let tool: Tool

    init() throws { tool = try Tool() }

    @Test(arguments: [
        (#"{"prot": 8080}"#, "'--prot'"), (#"{"port": "lots"}"#, "'lots' is invalid for '--port"),
        (#"{"port": [1, 2]}"#, "\"port\" takes one value"),
        (#"{"max-steps": {"of": 5}}"#, "\"max-steps\" takes one value"),
        (#"{"precision": "f8"}"#, "'f8' is invalid for '--precision"),
        (#"{"config": "server.json"}"#, "\"config\""),
        (#"{"allow-url-images": "perhaps"}"#, "--allow-url-images"), ("[8080]", "no JSON object"),
        ("{", "line 1"),
        (#"{"threads": 0}"#, "--threads 0"),
    ])
    func filesAreReadAsOptionsAre(_ text: String, _ reason: String) async throws {
        try Data(text.utf8).write(to: tool.file("server.json"))
        let result = try await tool.run(
            "serve", "--config", "server.json", "--port", "0", "--data-dir", "data")
        #expect(result.code == 65, "\(result.code) \(result.errors)")
        #expect(result.errors.contains("server.json") && result.errors.contains(reason), "\(result.errors)")
        #expect(try tool.files == ["server.json"])
    }

    @Test(arguments: [
        ("EASEL_PORT", "lots", "'--port"), ("EASEL_DEVICE", "tpu", "'--device"),
        ("EASEL_MAX_BODY", "much", "'--max-body"),
        ("EASEL_ALLOW_URL_IMAGES", "perhaps", "EASEL_ALLOW_URL_IMAGES is \"perhaps\""),
        ("EASEL_VAE_TILE_OVERLAP", "8", "--vae-tile-size"),
    ])
    func theEnvironmentIsToo(_ name: String, _ value: String, _ reason: String) async throws {
        let result = try await tool.run(["serve", "--data-dir", "data"], environment: [name: value])
        #expect(result.code == 64, "\(result.code) \(result.errors)")
        #expect(result.errors.contains("EASEL_") && result.errors.contains(reason), "\(result.errors)")
        #expect(try tool.files == [])
    }

    @Test func aFileThatIsNotThereIsNamed() async throws {
        let result = try await tool.run("serve", "--config", "none.json", "--data-dir", "data")
        #expect(result.code == 65 && result.errors.contains("none.json"), "\(result.errors)")
        #expect(try tool.files == [])
    }
}
